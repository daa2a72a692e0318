import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findCycles, topologicalOrder } from '../../../lib/domain/graph/topological-order.ts'

/** Needs that point anywhere, in circles and at themselves too. */
const someNeeds = fc
  .integer({ min: 0, max: 12 })
  .chain((count) =>
    fc.array(fc.array(fc.nat(Math.max(0, count - 1)), { maxLength: 3 }), { minLength: count, maxLength: count }),
  )

/** Which task waits for which, over any number of steps: by Warshall's algorithm. */
function waitsFor(needs: readonly (readonly number[])[]): boolean[][] {
  const waits = needs.map((ids) => needs.map((_, id) => ids.includes(id)))
  for (const [via] of needs.entries())
    for (const [from] of needs.entries())
      for (const [to] of needs.entries())
        if (waits[from]?.[via] && waits[via]?.[to]) (waits[from] as boolean[])[to] = true
  return waits
}

test('the order holds every task that is on no cycle and behind none, each after what it needs', () => {
  fc.assert(
    fc.property(someNeeds, (needs) => {
      const order = topologicalOrder(needs)
      const waits = waitsFor(needs)
      const isFree = (task: number) => !needs.some((_, id) => (id === task || waits[task]?.[id]) && waits[id]?.[id])
      expect(order.toSorted((a, b) => a - b)).toEqual([...needs.keys()].filter(isFree))
      const placeOf = new Map(order.map((task, place) => [task, place]))
      for (const task of order)
        for (const need of needs[task] ?? []) expect(placeOf.get(need)).toBeLessThan(placeOf.get(task) as number)
    }),
    { numRuns: 500 },
  )
})

test('every cycle that is named is there, no two share a task, and no knot goes unnamed', () => {
  fc.assert(
    fc.property(someNeeds, (needs) => {
      const cycles = findCycles(needs)
      const waits = waitsFor(needs)
      for (const cycle of cycles) {
        expect(cycle.at(-1)).toBe(cycle[0])
        cycle.slice(1).forEach((need, at) => {
          expect(needs[cycle[at] as number]).toContain(need)
        })
      }
      const named = cycles.flatMap((cycle) => cycle.slice(1))
      expect(new Set(named).size).toBe(named.length)
      for (const [task] of needs.entries()) {
        if (!waits[task]?.[task]) continue
        const knot = [...needs.keys()].filter((id) => waits[task]?.[id] && waits[id]?.[task])
        expect(
          named.some((id) => knot.includes(id)),
          `the knot ${knot}`,
        ).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test('a cycle that waits for another one is named as well', () => {
  expect(findCycles([[1], [0], [0, 3], [2]])).toEqual([
    [0, 1, 0],
    [2, 3, 2],
  ])
})

test.each([
  ['a task that needs itself', [[0]], [[0, 0]]],
  ['two tasks that need each other', [[1], [0]], [[0, 1, 0]]],
  ['a tail that leads into a cycle', [[1], [2], [1]], [[1, 2, 1]]],
  ['a diamond, which is none', [[], [0], [0], [1, 2]], []],
  ['nothing', [], []],
])('the cycles of %s', (_, needs, cycles) => {
  expect(findCycles(needs)).toEqual(cycles)
})

test('a chain of 10,000 tasks that bites its tail is one cycle', () => {
  const needs = Array.from({ length: 10_000 }, (_, id) => [(id + 1) % 10_000])
  expect(findCycles(needs)).toEqual([[...needs.keys(), 0]])
})
