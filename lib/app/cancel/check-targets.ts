import { InvalidInput } from '../../domain/errors.ts'
import type { Graph } from '../../domain/graph/graph.ts'

/** Sorted, each once. Errors: InvalidInput with every unknown id. */
export function checkTargets(graph: Graph, taskIds: readonly number[]): readonly number[] {
  const count = graph.tasks.length
  const details = taskIds.flatMap((id, index) =>
    id < count
      ? []
      : [{ path: `taskIds[${index}]`, message: `there is no task ${id}: ids run from 0 to ${count - 1}` }],
  )
  if (details.length > 0)
    throw new InvalidInput(`no such task: ${details.map(({ message }) => message).join('; ')}`, { details })
  return [...new Set(taskIds)].sort((a, b) => a - b)
}
