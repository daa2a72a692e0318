import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasBit } from '../../../lib/domain/bits.ts'
import { covers, fencesOver, hasWholeFence, partialScope } from '../../../lib/domain/cancel/cancel-scope.ts'
import type { Graph } from '../../../lib/domain/graph/graph.ts'
import { outcomeOf } from '../../../lib/domain/settled.ts'
import type { Outcome } from '../../../lib/domain/task-run.ts'
import { aDispatch, aFence, aGraph, aRandomGraph, aScope } from '../../support/builders.ts'
import { createRandom } from '../../support/random.ts'

const idsIn = (scope: Uint8Array, graph: Graph) => graph.tasks.map(({ id }) => id).filter((id) => hasBit(scope, id))

/** Everything downstream of the open targets, the slow way: go over all tasks until nothing is added. */
function closure(graph: Graph, open: readonly number[]): readonly number[] {
  const scope = new Set(open)
  const sinks = new Set(
    graph.tasks
      .filter(({ id }) => !graph.tasks.some((one) => !one.postProcess && one.needs.includes(id)))
      .map(({ id }) => id),
  )
  for (let size = -1; size !== scope.size; ) {
    size = scope.size
    for (const { id, needs, postProcess } of graph.tasks)
      if ([...scope].some((one) => needs.includes(one) || (postProcess && sinks.has(one)))) scope.add(id)
  }
  return [...scope].sort((a, b) => a - b)
}

test('a scope is the open targets and everything downstream of them', () => {
  const scenario = fc.record({
    seed: fc.noShrink(fc.nat()),
    count: fc.integer({ min: 1, max: 25 }),
    targets: fc.array(fc.nat(24), { minLength: 1, maxLength: 4 }),
    ended: fc.uniqueArray(fc.nat(24), { maxLength: 8 }),
  })
  fc.assert(
    fc.property(scenario, ({ seed, count, ...given }) => {
      const graph = aRandomGraph(createRandom(seed), count)
      const targets = given.targets.map((id) => id % count)
      const outcomes = Object.fromEntries(given.ended.map((id) => [id % count, 'succeeded' as const]))
      const dispatch = aDispatch({ taskCount: count, outcomes })
      const open = targets.filter((id) => outcomeOf(dispatch, id) === undefined)
      expect(idsIn(partialScope(graph, dispatch, targets), graph)).toEqual(closure(graph, open))
    }),
    { numRuns: 300 },
  )
})

describe('a chain of three', () => {
  const graph = aGraph([{}, { needs: [0] }, { needs: [1] }, {}])
  const scopeOf = (targets: number[], outcomes: Record<number, Outcome> = {}) =>
    idsIn(partialScope(graph, aDispatch({ taskCount: 4, outcomes }), targets), graph)

  test('is cancelled from its middle on, and the branch beside it is not', () => {
    expect(scopeOf([1])).toEqual([1, 2])
  })

  test('is not touched when the target has ended, for what follows may run', () => {
    expect(scopeOf([0], { 0: 'succeeded' })).toEqual([])
  })

  test('is cancelled once, however often its tasks are named', () => {
    expect(scopeOf([2, 0, 2, 1])).toEqual([0, 1, 2])
  })
})

test('the post-processing task is downstream of every task, also of those that it does not name', () => {
  const graph = aGraph([{}, {}, { postProcess: true, needs: [0] }])
  expect(idsIn(partialScope(graph, aDispatch({ taskCount: 3 }), [1]), graph)).toEqual([1, 2])
})

test('the fences over a task come oldest first, and without those that do not cover it', () => {
  const { fences } = aDispatch({
    taskCount: 8,
    fences: [
      aFence({ id: 'late', at: 30 }),
      aFence({ id: 'elsewhere', at: 20, scope: aScope([1], 8) }),
      aFence({ id: 'early', at: 10, scope: aScope([0, 3], 8) }),
    ],
  })
  expect(fencesOver(fences, 3).map(({ id }) => id)).toEqual(['early', 'late'])
  expect(fencesOver(fences, 1).map(({ id }) => id)).toEqual(['elsewhere', 'late'])
})

test('a fence over the whole dispatch covers every task, one over a part its own', () => {
  expect(covers('all', 7)).toBe(true)
  expect(covers(aScope([7], 8), 7)).toBe(true)
  expect(covers(aScope([7], 8), 6)).toBe(false)
})

test('a dispatch with a fence over a part is not cancelled as a whole', () => {
  const part = aFence({ id: 'part', scope: aScope([0], 1) })
  expect(hasWholeFence(aDispatch().fences)).toBe(false)
  expect(hasWholeFence(aDispatch({ fences: [part] }).fences)).toBe(false)
  expect(hasWholeFence(aDispatch({ fences: [part, aFence()] }).fences)).toBe(true)
})
