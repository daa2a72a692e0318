import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { noteJobNews } from '../../lib/app/act/note-job-news.ts'
import { cancelDispatch } from '../../lib/app/cancel/cancel-dispatch.ts'
import type { Context } from '../../lib/app/context.ts'
import { submitDispatch } from '../../lib/app/submit/submit-dispatch.ts'
import { systemDeadline } from '../../lib/app/system-deadline.ts'
import { createBatchExecutor } from '../../lib/back-ends/batch/executor.ts'
import { readBatchEvent } from '../../lib/back-ends/batch/news.ts'
import { chunks } from '../../lib/back-ends/registry.ts'
import type { LocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { createLocalExecutions } from '../../lib/local/loop.ts'
import { cancelRequest } from '../../lib/schema/api.ts'
import { createDynamoStore } from '../../lib/store/dynamo/dynamo.ts'
import { createDynamoBulks } from '../../lib/store/dynamo/dynamo-bulks.ts'
import { patienceMs } from '../support/patience.ts'
import { createPretendBatch, type Fate } from './pretend-batch.ts'

/** A pretended second; what polls does so once a real one. */
const secondMs = 20

/** The loop in TypeScript over the same Batch, in real time. */
export function openLocalWorld(dynamo: LocalDynamo, options: { fates?: Record<string, Fate>; isSilent?: boolean }) {
  const caller = { id: 'ada', isAdmin: false }
  const asked: string[] = []
  const batch = createPretendBatch({
    fates: options.fates ?? {},
    schedule: (seconds, work) => void setTimeout(() => void work(), seconds * secondMs),
    now: Date.now,
    onEvent: async (event) => {
      const news = options.isSilent ? undefined : readBatchEvent(event)
      if (news) await noteJobNews(context, [news])
    },
  })
  const client = { send: batch.answer as never }
  const loops = createLocalExecutions(() => context)
  const context: Context = {
    store: createDynamoStore(dynamo.client, dynamo.tableName),
    bulks: createDynamoBulks(dynamo.client, dynamo.tableName),
    bulkRunner: { enqueue: async () => {} },
    executors: new Map([['batch', createBatchExecutor({ batch: client, submitter: client })]]),
    executions: {
      ...loops,
      start: (id, epoch) => {
        asked.push(`start ${epoch}`)
        return loops.start(id, epoch)
      },
      stop: (id, epoch) => {
        asked.push(`stop ${epoch}`)
        return loops.stop(id, epoch)
      },
    },
    policy: {
      pollSeconds: 1,
      cancelPollSeconds: 1,
      leaseSeconds: 5,
      recoverSeconds: 1,
      settleSeconds: 1,
      confirmSeconds: 30,
      awaySeconds: 30,
      submitsPerTurn: 1000,
      actSeconds: { pack: 4, submit: 4, recover: 4, poll: 4, cancel: 4 },
      chunks,
      priceOf: () => undefined,
    },
    now: Date.now,
    deadlineAt: systemDeadline,
    sleep: (seconds) => sleep(seconds * 1000, undefined, { ref: false }),
    newId: randomUUID,
    resultUri: (dispatchId, taskId, attempt) => `s3://results/${dispatchId}/${taskId}/${attempt}`,
    readResult: async () => undefined,
    writeText: async () => {},
    concurrency: 8,
    log: () => {},
  }

  return {
    batch,
    asked,
    store: context.store,
    submit: async (graph: unknown) => (await submitDispatch(context, caller, graph)).dispatchId,
    cancel: (dispatchId: string, body: object) =>
      cancelDispatch(context, caller, dispatchId, cancelRequest.parse(body), { source: 'api' }),
    runUntil: async (isOver: () => boolean | Promise<boolean>) => {
      for (const deadline = performance.now() + patienceMs; !(await isOver()); await sleep(10))
        if (performance.now() > deadline) throw new Error('it takes too long')
    },
    close: () => loops.close(),
  }
}
