import { setTimeout as sleep } from 'node:timers/promises'
import { cancelOneOfBulk } from '../app/bulk/cancel-one-of-bulk.ts'
import { closeIfDone, resumeBulk } from '../app/bulk/resume-bulk.ts'
import type { BulkRunner } from '../app/bulk-runner.ts'
import type { Context } from '../app/context.ts'

interface Work {
  readonly bulkId: string
  readonly dispatchId: string
}

/** A first kill pass takes ten seconds at most: a slow dispatch holds up one of these. */
const dispatchesAtOnce = 8
const retryDelaysMs = [200, 1000, 5000]

export interface LocalBulkRunner extends BulkRunner {
  /** Take up what the last process on this table has left. */
  start(): Promise<void>
  /** Finish what is under way and begin nothing more; the next start goes on with the rest. */
  close(): Promise<void>
}

/** Works on bulk cancellations in this process. What it forgets when it dies, `start` finds in the table. */
export function createLocalBulkRunner(context: () => Context): LocalBulkRunner {
  const waiting: Work[] = []
  const known = new Set<string>()
  const leftOf = new Map<string, number>()
  const workers = new Set<Promise<void>>()
  const closing = new AbortController()
  const keyOf = ({ bulkId, dispatchId }: Work) => `${bulkId}/${dispatchId}`

  const cancelOne = async ({ bulkId, dispatchId }: Work): Promise<void> => {
    const bulk = await context().bulks.read(bulkId)
    if (bulk) await cancelOneOfBulk(context(), bulk, dispatchId)
  }

  const tryOften = async (work: Work): Promise<void> => {
    for (const delayMs of [...retryDelaysMs, undefined]) {
      if (closing.signal.aborted) return
      try {
        return await cancelOne(work)
      } catch (error) {
        context().log({ decision: 'bulk-failed', ...work, error: String(error) })
        if (delayMs === undefined) {
          const { message, code = 'InternalError' } = error as Error & { code?: string }
          const outcome = { dispatchId: work.dispatchId, at: context().now(), result: 'failed', code, message } as const
          await context().bulks.putOutcome(work.bulkId, outcome)
        } else await sleep(delayMs, undefined, { signal: closing.signal }).catch(() => {})
      }
    }
  }

  const finish = async ({ bulkId }: Work): Promise<void> => {
    const left = (leftOf.get(bulkId) ?? 1) - 1
    leftOf.set(bulkId, left)
    if (left > 0) return
    leftOf.delete(bulkId)
    const bulk = await context().bulks.read(bulkId)
    if (bulk) await closeIfDone(context(), bulk)
  }

  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one && !closing.signal.aborted; one = waiting.shift()) {
      try {
        await tryOften(one)
        await finish(one)
      } catch (error) {
        context().log({ decision: 'bulk-failed', ...one, error: String(error) })
      }
      known.delete(keyOf(one))
    }
  }

  return {
    enqueue: async (bulkId, dispatchIds) => {
      for (const dispatchId of dispatchIds) {
        const one = { bulkId, dispatchId }
        if (known.has(keyOf(one))) continue
        known.add(keyOf(one))
        waiting.push(one)
        leftOf.set(bulkId, (leftOf.get(bulkId) ?? 0) + 1)
      }
      for (let free = dispatchesAtOnce - workers.size; free > 0 && waiting.length > 0; free--) {
        const worker: Promise<void> = work().finally(() => workers.delete(worker))
        workers.add(worker)
      }
    },
    start: async () => {
      for (const bulkId of await context().bulks.listOpen()) {
        const bulk = await context().bulks.read(bulkId)
        if (bulk && !bulk.ended) await resumeBulk(context(), bulk)
      }
    },
    close: async () => {
      closing.abort()
      await Promise.all(workers)
    },
  }
}
