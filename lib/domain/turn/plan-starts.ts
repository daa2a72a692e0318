import { isFenced } from '../cancel/cancel-scope.ts'
import type { Dispatch } from '../dispatch.ts'
import { effectiveNeeds } from '../graph/effective-needs.ts'
import type { Graph, Task } from '../graph/graph.ts'
import { topologicalOrder } from '../graph/topological-order.ts'
import { outcomeOf } from '../settled.ts'
import type { Outcome, TaskRun } from '../task-run.ts'
import type { AttemptId } from './action.ts'
import type { Policy } from './policy.ts'

/**
 * Settle what will never start (into `outcomes`), and give the tasks that can start now, in id order, and those that
 * must wait.
 *
 * `cancelled` where a fence covers it, `skipped` where something it needs did not succeed.
 */
export function planUnstarted(
  dispatch: Dispatch,
  graph: Graph,
  openRuns: readonly TaskRun[],
  outcomes: Map<number, Outcome>,
): { tasks: readonly number[]; waiting: readonly number[] } {
  const started = new Set(openRuns.map((run) => run.id))
  const needs = effectiveNeeds(graph)
  const tasks: number[] = []
  const waiting: number[] = []
  for (const id of topologicalOrder(needs)) {
    if (started.has(id) || outcomeOf(dispatch, id) !== undefined) continue
    if (isFenced(dispatch.fences, id)) {
      outcomes.set(id, 'cancelled')
      continue
    }
    const states = (needs[id] as readonly number[]).map((need) => outcomes.get(need) ?? outcomeOf(dispatch, need))
    if (states.some((state) => state !== undefined && state !== 'succeeded')) outcomes.set(id, 'skipped')
    else if (states.every((state) => state === 'succeeded')) tasks.push(id)
    else waiting.push(id)
  }
  return { tasks: tasks.sort((a, b) => a - b), waiting }
}

/**
 * Of the attempts that could start: those that start alone, and the packs that start as one job. A pack waits for its
 * last member; later attempts of its members are made alone.
 */
export function splitPacks(
  { graph, policy }: { graph: Graph; policy: Policy },
  starts: readonly AttemptId[],
  waiting: readonly number[],
): { singles: readonly AttemptId[]; packs: readonly { pack: string; executor: string }[] } {
  const packOf = ({ taskId, attempt }: AttemptId) => {
    const { pack, executor } = graph.tasks[taskId] as Task
    return attempt === 1 && policy.chunks[executor]?.packs ? pack : undefined
  }
  const held = new Set(waiting.map((taskId) => graph.tasks[taskId]?.pack))
  const singles: AttemptId[] = []
  const packs: { pack: string; executor: string }[] = []
  for (const [pack, members] of Map.groupBy(starts, packOf)) {
    const [first] = members as [AttemptId]
    if (pack === undefined) singles.push(...members)
    else if (held.has(pack)) continue
    else if (members.length > 1) packs.push({ pack, executor: (graph.tasks[first.taskId] as Task).executor })
    else singles.push(first)
  }
  return { singles, packs }
}
