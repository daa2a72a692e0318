import type { CancelOutcome } from '../../back-ends/executor.ts'
import { isBackendError } from '../../domain/errors.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { type HandledRun, readHandled } from './read-handled.ts'
import { rotate } from './rotate.ts'
import type { Work } from './work.ts'

/**
 * Ask the back end to stop the action's jobs. That they have stopped is for `poll` to say; what failed is asked again
 * by the next kill pass, and shown until then.
 */
export async function cancelJobs(context: Context, work: Work): Promise<readonly string[]> {
  const { store } = context
  const { dispatchId, action, executor } = work
  const handled = rotate(await readHandled(store, work), context.now())
  const runs = action.isTimeLimit ? await markTimedOut(context, dispatchId, handled) : handled
  if (runs.length === 0) return []
  let outcomes: readonly CancelOutcome[]
  try {
    outcomes = await executor.cancel(
      runs.map((run) => run.handle),
      { mode: action.mode ?? 'graceful', reason: action.reason ?? '' },
      work.deadline,
    )
  } catch (error) {
    if (!isBackendError(error)) throw error
    outcomes = runs.map(() => ({ outcome: 'failed', message: error.message }))
  }
  await concurrently(context.concurrency, runs, async (run, index) => {
    const { outcome, message } = outcomes[index] ?? { outcome: 'failed' }
    const cancelError = outcome === 'failed' ? (message ?? 'no answer') : null
    if (cancelError === (run.cancelError ?? null)) return
    await store.noteRun(dispatchId, { taskId: run.id, attempt: run.attempt }, { cancelError })
  })
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed').length
  return [
    `${action.isTimeLimit ? 'time limit: ' : ''}asked ${executor.name} to stop ${runs.length} ${runs.length === 1 ? 'job' : 'jobs'} (${action.mode ?? 'graceful'})` +
      (failed > 0 ? `, ${failed} of them could not be reached and will be asked again` : ''),
  ]
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
