import { dependantsOf } from '../cancel/cancel-scope.ts'
import type { ReopenedCounts } from '../dispatch.ts'
import type { Problem } from '../errors.ts'
import { effectiveNeeds } from '../graph/effective-needs.ts'
import type { Graph } from '../graph/graph.ts'
import { outcomeOf, type Settled } from '../settled.ts'
import type { Outcome } from '../task-run.ts'

/** Which tasks a redrive opens again. */
export interface Redrive {
  /** In id order, with what each was settled as. */
  readonly reopened: ReadonlyMap<number, Exclude<Outcome, 'succeeded'>>
  /** Why `targets` cannot be redriven as they are; then nothing is. */
  readonly problems: readonly Problem[]
}

/**
 * Without `targets`, every task that is settled and did not succeed. With them, those and everything downstream of them
 * that is: what a target holds up is skipped or cancelled, and would stay so.
 *
 * A task is reopened only where it can start some day: each of its needs has succeeded, is open, or is reopened too.
 */
export function planRedrive(graph: Graph, settled: Settled, targets: readonly number[] | undefined): Redrive {
  const reopened = new Map<number, Exclude<Outcome, 'succeeded'>>()
  const needs = effectiveNeeds(graph)
  const dependants = dependantsOf(needs)
  const queue = [...(targets ?? needs.keys())].reverse()
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const outcome = outcomeOf(settled, id)
    if (outcome === undefined || outcome === 'succeeded' || reopened.has(id)) continue
    reopened.set(id, outcome)
    queue.push(...(dependants[id] as readonly number[]))
  }
  const sorted = new Map([...reopened].sort(([a], [b]) => a - b))
  return { reopened: sorted, problems: targets ? targetProblems(graph, settled, targets, sorted) : [] }
}

function targetProblems(
  graph: Graph,
  settled: Settled,
  targets: readonly number[],
  reopened: Redrive['reopened'],
): readonly Problem[] {
  const nameOf = (id: number) => `"${graph.tasks[id]?.name}" (${id})`
  const idle = targets
    .filter((id) => !reopened.has(id))
    .map((id): Problem => {
      const why = outcomeOf(settled, id) === 'succeeded' ? 'has succeeded, and its result is kept' : 'has not ended'
      return { path: 'taskIds', message: `task ${nameOf(id)} ${why}` }
    })
  const missing = new Map<number, number>()
  for (const id of reopened.keys())
    for (const need of effectiveNeeds(graph)[id] as readonly number[]) {
      const outcome = outcomeOf(settled, need)
      const isHopeless = outcome !== undefined && outcome !== 'succeeded' && !reopened.has(need)
      if (isHopeless && !missing.has(need)) missing.set(need, id)
    }
  const unmet = [...missing].map(([need, id]): Problem => {
    const message = `task ${nameOf(id)} needs ${nameOf(need)}, which is ${outcomeOf(settled, need)}: name that too`
    return { path: 'taskIds', message }
  })
  return [...idle, ...unmet]
}

export function countReopened({ reopened }: Redrive): ReopenedCounts {
  const counts = { failed: 0, cancelled: 0, skipped: 0 }
  for (const outcome of reopened.values()) counts[outcome] += 1
  return counts
}
