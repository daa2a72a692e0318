import type { Handle } from '../../back-ends/executor.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import type { Store } from '../../store/store.ts'
import type { Work } from './work.ts'

/** A run whose job can be asked about and stopped. */
export type HandledRun = TaskRun & { readonly handle: Handle }

/**
 * The runs of an action as they are now, without those that have ended, have no handle, or are at another attempt:
 * an action may come late.
 */
export async function readHandled(
  store: Store,
  { dispatchId, action }: Pick<Work, 'dispatchId' | 'action'>,
): Promise<readonly HandledRun[]> {
  const attempts = new Map(action.tasks.map(({ taskId, attempt }) => [taskId, attempt]))
  const runs = await store.readRuns(dispatchId, [...attempts.keys()])
  return runs.filter(
    (run): run is HandledRun =>
      run.handle !== undefined &&
      run.attempt === attempts.get(run.id) &&
      (run.state === 'queued' || run.state === 'running'),
  )
}
