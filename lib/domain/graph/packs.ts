import type { Problem } from '../errors.ts'
import { sublattice, type Task } from './graph.ts'
import { findCycles } from './topological-order.ts'

/** The tasks of each pack, in id order. */
export function packsOf(tasks: readonly Task[]): ReadonlyMap<string, readonly Task[]> {
  const packs = new Map<string, Task[]>()
  for (const task of tasks) {
    if (task.pack === undefined) continue
    const members = packs.get(task.pack)
    if (members) members.push(task)
    else packs.set(task.pack, [task])
  }
  return packs
}

/** What is wrong with the packs of a graph. A pack starts as a whole, so it must not wait for itself. */
export function packProblems(tasks: readonly Task[]): readonly Problem[] {
  const problems: Problem[] = []
  const packs = packsOf(tasks)
  for (const [pack, members] of packs) {
    const [first] = members
    for (const { id, executor, postProcess } of members) {
      const path = `tasks[${id}].pack`
      if (postProcess) problems.push({ path, message: 'the post-processing task runs last, and in no pack' })
      if (executor === sublattice) problems.push({ path, message: 'a sublattice is a dispatch, and in no pack' })
      if (first && executor !== first.executor)
        problems.push({ path, message: `pack "${pack}" is on ${first.executor}, this task is on ${executor}` })
    }
  }

  // Seen as one task each, packs must not wait for themselves: neither directly, nor through others.
  const nodeOf = (id: number) => packs.get(tasks[id]?.pack ?? '')?.[0]?.id ?? id
  const needs = tasks.map((): Set<number> => new Set())
  for (const task of tasks) for (const need of task.needs) needs[nodeOf(task.id)]?.add(nodeOf(need))
  const spell = (id: number) => (tasks[id]?.pack === undefined ? tasks[id]?.name : `pack ${tasks[id]?.pack}`)
  for (const cycle of findCycles(needs.map((ids) => [...ids]))) {
    const knot = cycle.find((id) => tasks[id]?.pack !== undefined)
    // A cycle without a pack is one of the graph itself, and reported there.
    if (knot === undefined) continue
    const message = `a pack cannot wait for itself: ${cycle.map(spell).join(' needs ')}`
    problems.push({ path: `tasks[${knot}].pack`, message })
  }
  return problems
}
