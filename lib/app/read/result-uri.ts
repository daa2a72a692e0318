import type { Graph, Task } from '../../domain/graph/graph.ts'
import type { Context } from '../context.ts'

/** Where an attempt of a task leaves its result. That of a child's post-processing task is its parent task's result. */
export function resultUriOf(
  { resultUri }: Pick<Context, 'resultUri'>,
  dispatchId: string,
  graph: Pick<Graph, 'resultUri'>,
  task: Pick<Task, 'id' | 'postProcess'>,
  attempt: number,
): string {
  return (task.postProcess && graph.resultUri) || resultUri(dispatchId, task.id, attempt)
}
