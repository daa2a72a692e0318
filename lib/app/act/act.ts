import { NotFound } from '../../domain/errors.ts'
import type { Action } from '../../domain/turn/action.ts'
import type { Context } from '../context.ts'
import { cancelJobs } from './cancel-jobs.ts'
import { pollJobs } from './poll-jobs.ts'
import { recoverJobs } from './recover-jobs.ts'
import { submitJobs } from './submit-jobs.ts'
import type { Work } from './work.ts'

/**
 * Do one action of a turn; wake the dispatch's loop when that made news.
 *
 * It ends with its deadline, or when `stopped` fires: what is not done by then is left for the next turn.
 *
 * Guarantees: it may die anywhere, be repeated, and run beside another: what it does to a back end is guarded by a
 * claim or harmless when done twice. Errors of back ends end up in the tasks and the history, not in the caller.
 */
export async function act(context: Context, dispatchId: string, action: Action, stopped?: AbortSignal): Promise<void> {
  const executor = context.executors.get(action.executor)
  if (!executor) throw new NotFound(`there is no executor "${action.executor}"`)
  const { at, signal } = context.deadlineAt(
    context.now() + context.policy.actSeconds[action.pack === undefined ? action.kind : 'pack'] * 1000,
  )
  const deadline = { at, signal: stopped ? AbortSignal.any([signal, stopped]) : signal }
  const work = { dispatchId, action, executor, deadline }
  const lines = await perform(context, work)
  context.log({ decision: action.kind, dispatchId, executor: action.executor, tasks: action.tasks.length })
  if (lines.length === 0) return
  await context.store.addHistory(dispatchId, context.now(), lines)
  await context.executions.wake(dispatchId)
}

/** Lines for the history; none where nothing was new. */
function perform(context: Context, work: Work): Promise<readonly string[]> {
  switch (work.action.kind) {
    case 'submit':
      return submitJobs(context, work)
    case 'poll':
      return pollJobs(context, work)
    case 'recover':
      return recoverJobs(context, work)
    case 'cancel':
      return cancelJobs(context, work)
  }
}
