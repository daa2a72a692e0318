import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { type HandledRun, readHandled } from './read-handled.ts'
import { rotate } from './rotate.ts'
import { stopRuns } from './stop-runs.ts'
import type { Work } from './work.ts'

/**
 * Ask the back end to stop the action's jobs. That they have stopped is for `poll` to say; what failed is asked again
 * by the next kill pass, and shown until then.
 */
export async function cancelJobs(context: Context, work: Work): Promise<readonly string[]> {
  const { dispatchId, action } = work
  const handled = rotate(await readHandled(context.store, work), context.now())
  const runs = action.isTimeLimit ? await markTimedOut(context, dispatchId, handled) : handled
  return stopRuns(context, work, runs)
}

/**
 * Write down, before they are stopped, that the time of these attempts was over: their end is then `TimedOut`, and not
 * `cancelled` by nobody. Gives those that have not ended meanwhile.
 */
async function markTimedOut(
  { store, now, concurrency }: Context,
  dispatchId: string,
  runs: readonly HandledRun[],
): Promise<readonly HandledRun[]> {
  const marked = await concurrently(concurrency, runs, async (run) => {
    if (run.timedOutAt !== undefined) return run
    const isOpen = await store.noteRun(dispatchId, { taskId: run.id, attempt: run.attempt }, { timedOutAt: now() })
    return isOpen ? run : undefined
  })
  return marked.filter((run) => run !== undefined)
}
