import type { CancelOutcome } from '../../back-ends/executor.ts'
import { isBackendError } from '../../domain/errors.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import type { HandledRun } from './read-handled.ts'
import type { Work } from './work.ts'

/**
 * Ask the back end to stop the jobs of runs, as a `cancel` action says; gives lines for the history. That they have stopped is for
 * `poll` to say; what failed is asked again by the next kill pass, and shown until then.
 */
export async function stopRuns(
  context: Context,
  { dispatchId, action, executor, deadline }: Work,
  runs: readonly HandledRun[],
): Promise<readonly string[]> {
  if (runs.length === 0) return []
  let outcomes: readonly CancelOutcome[]
  try {
    outcomes = await executor.cancel(
      runs.map((run) => run.handle),
      {
        mode: action.mode ?? 'graceful',
        reason: action.reason ?? '',
        ...(action.graceSeconds !== undefined && { graceSeconds: action.graceSeconds }),
      },
      deadline,
    )
  } catch (error) {
    if (!isBackendError(error)) throw error
    outcomes = runs.map(() => ({ outcome: 'failed', message: error.message }))
  }
  await concurrently(context.concurrency, runs, async (run, index) => {
    const { outcome, message } = outcomes[index] ?? { outcome: 'failed' }
    const cancelError = outcome === 'failed' ? (message ?? 'no answer') : null
    if (cancelError === (run.cancelError ?? null)) return
    await context.store.noteRun(dispatchId, { taskId: run.id, attempt: run.attempt }, { cancelError })
  })
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed').length
  return [
    `${action.isTimeLimit ? 'time limit: ' : ''}asked ${executor.name} to stop ${runs.length} ${runs.length === 1 ? 'job' : 'jobs'} (${action.mode ?? 'graceful'})` +
      (failed > 0 ? `, ${failed} of them could not be reached and will be asked again` : ''),
  ]
}
