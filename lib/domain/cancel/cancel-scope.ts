import { type Bits, emptyBits, hasBit, setBit } from '../bits.ts'
import type { Dispatch } from '../dispatch.ts'
import type { Fence } from '../fence.ts'
import { effectiveNeeds } from '../graph/effective-needs.ts'
import type { Graph } from '../graph/graph.ts'
import { outcomeOf, type Settled } from '../settled.ts'

/**
 * What a cancel of `targets` covers: those that are still open, and everything downstream of them.
 *
 * A target that has ended brings nothing with it: there is nothing to stop, and what depends on it may run. Nothing
 * downstream of an open task can have started, so the scope holds open tasks only.
 */
export function partialScope(graph: Graph, settled: Settled, targets: readonly number[]): Bits {
  const scope = emptyBits(graph.tasks.length)
  const dependants = dependantsOf(effectiveNeeds(graph))
  const queue = targets.filter((id) => outcomeOf(settled, id) === undefined)
  for (const id of queue) setBit(scope, id)
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const dependant of dependants[next] as readonly number[]) {
      if (hasBit(scope, dependant)) continue
      setBit(scope, dependant)
      queue.push(dependant)
    }
  }
  return scope
}

/** What needs each task directly. */
export function dependantsOf(needs: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const dependants: number[][] = needs.map(() => [])
  needs.forEach((ids, task) => {
    for (const id of ids) dependants[id]?.push(task)
  })
  return dependants
}

export function covers(scope: Fence['scope'], taskId: number): boolean {
  return scope === 'all' || hasBit(scope, taskId)
}

/** The fences that cover a task, oldest first. */
export function fencesOver(fences: Dispatch['fences'], taskId: number): readonly Fence[] {
  return Object.values(fences)
    .filter((fence) => covers(fence.scope, taskId))
    .sort((a, b) => a.at - b.at)
}

export function isFenced(fences: Dispatch['fences'], taskId: number): boolean {
  return Object.values(fences).some((fence) => covers(fence.scope, taskId))
}

export function hasWholeFence(fences: Dispatch['fences']): boolean {
  return wholeFence(fences) !== undefined
}

/** The first fence over the whole dispatch: what came after it found it cancelled already. */
export function wholeFence(fences: Dispatch['fences']): Fence | undefined {
  return Object.values(fences)
    .filter((fence) => fence.scope === 'all')
    .sort((a, b) => a.at - b.at)[0]
}
