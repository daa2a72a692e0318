import type { Dispatch } from '../../domain/dispatch.ts'
import { NotFound } from '../../domain/errors.ts'
import type { Graph, Task } from '../../domain/graph/graph.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import { type ShownState, shownState } from '../../domain/task-state.ts'
import type { Context } from '../context.ts'
import { tasksOf } from './views.ts'

/** A task, and its run where it was ever claimed. */
export interface FoundTask {
  readonly task: Task
  readonly state: ShownState
  readonly run: TaskRun | undefined
}

/** A task of a dispatch as it is now. Errors: NotFound. */
export async function readTask(
  { store, policy, now }: Context,
  dispatch: Dispatch,
  graph: Graph,
  taskId: number,
): Promise<FoundTask> {
  const task = tasksOf(dispatch, graph)[taskId]
  if (!task) throw new NotFound(`dispatch ${dispatch.id} has no task ${taskId}`)
  const [run] = await store.readRuns(dispatch.id, [taskId])
  const at = { now: now(), confirmSeconds: policy.confirmSeconds }
  return { task, state: shownState(dispatch, task, run, at), run }
}
