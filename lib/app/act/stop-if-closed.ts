import type { CancelRequest, Handle } from '../../back-ends/executor.ts'
import { fencesOver, isFenced } from '../../domain/cancel/cancel-scope.ts'
import { modeOf } from '../../domain/cancel/kill-pass.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { isBackendError } from '../../domain/errors.ts'
import type { Context } from '../context.ts'
import type { Work } from './work.ts'

/** Nothing may be started for this task any more: it is fenced, or its dispatch has ended or never was. */
export function isClosed(dispatch: Dispatch | undefined, taskId: number): boolean {
  return dispatch?.status !== 'running' || isFenced(dispatch.fences, taskId)
}

/**
 * The second look at the fence: to be taken after handles were stored. Gives the tasks whose jobs were asked to stop.
 *
 * Whoever wrote a fence before our handles were stored may not have seen them; whoever writes one later sees them.
 */
export async function stopClosed(
  context: Context,
  work: Work,
  jobs: readonly { readonly taskId: number; readonly handle: Handle }[],
): Promise<ReadonlySet<number>> {
  if (jobs.length === 0) return new Set()
  const dispatch = await context.store.readDispatch(work.dispatchId)
  const closed = jobs.filter(({ taskId }) => isClosed(dispatch, taskId))
  const [first] = closed
  if (!first) return new Set()
  const fences = dispatch ? fencesOver(dispatch.fences, first.taskId) : []
  const reason = fences[0]?.reason ?? 'the dispatch has ended'
  const handles = closed.map(({ handle }) => handle)
  await stopJobs(context, work, handles, { mode: modeOf(fences, context.now()), reason })
  return new Set(closed.map(({ taskId }) => taskId))
}

const stopSeconds = 30

/** Stop jobs at once. Where their back end does not answer, the kill passes or the sweeper go on. */
export async function stopJobs(
  context: Context,
  work: Work,
  handles: readonly Handle[],
  request: CancelRequest,
): Promise<void> {
  if (handles.length === 0) return
  try {
    // A submit may have used its time up: there is a little left for what it has made.
    const least = context.deadlineAt(context.now() + stopSeconds * 1000)
    await work.executor.cancel(handles, request, work.deadline.at > least.at ? work.deadline : least)
  } catch (error) {
    if (!isBackendError(error)) throw error
    const line = `${handles.length} jobs of ${work.executor.name} could not be stopped yet: ${error.message}`
    await context.store.addHistory(work.dispatchId, context.now(), [line])
  }
}
