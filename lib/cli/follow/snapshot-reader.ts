import type { QuenchClient } from '../../client/client.ts'
import type { DispatchView, TaskView } from '../../schema/api.ts'
import { collect } from '../collect.ts'
import { hasEnded } from '../render/dispatches.ts'

/** A dispatch and its tasks as the API has them, at most `limit` of them. */
interface DispatchTasks {
  readonly dispatch: DispatchView
  readonly tasks: readonly TaskView[]
}

/** Reads the state of a dispatch, each time anew. */
export type ReadSnapshot = (dispatchId: string, limit?: number) => Promise<DispatchTasks>

interface Kept extends DispatchTasks {
  readonly counts: string
  readonly readAt: number
}

const rereadAfterMs = 5_000

/**
 * A reader for who looks again and again: the tasks, which may be thousands, are read when their counts have changed,
 * and every five seconds; what has ended is not read again.
 */
export function createSnapshotReader(client: QuenchClient): ReadSnapshot {
  const kept = new Map<string, Kept>()
  return async (dispatchId, limit) => {
    const before = kept.get(dispatchId)
    if (before && hasEnded(before.dispatch.state)) return before
    const dispatch = await client.describe(dispatchId)
    const counts = JSON.stringify([dispatch.state, dispatch.tasks])
    const isFresh = before?.counts === counts && Date.now() - before.readAt < rereadAfterMs
    const now = isFresh
      ? { ...before, dispatch }
      : { dispatch, counts, readAt: Date.now(), tasks: await collect(client.tasks(dispatch.dispatchId), limit) }
    kept.set(dispatchId, now)
    return now
  }
}
