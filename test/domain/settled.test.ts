import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countSettled, nothingSettled, outcomeOf, reopen, type Settled, settle } from '../../lib/domain/settled.ts'
import type { Outcome } from '../../lib/domain/task-run.ts'

const outcomes: readonly Outcome[] = ['succeeded', 'failed', 'cancelled', 'skipped']

const someSteps = fc.integer({ min: 1, max: 100 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    steps: fc.array(
      fc
        .array(fc.tuple(fc.nat(count - 1), fc.constantFrom(...outcomes)), { maxLength: 20 })
        .map((entries) => new Map(entries)),
      { maxLength: 6 },
    ),
  }),
)

test('an outcome is written once: whatever comes later, the first one stays, and the counts say the same', () => {
  fc.assert(
    fc.property(someSteps, ({ count, steps }) => {
      const expected = new Map<number, Outcome>()
      let state: Settled = { settled: nothingSettled(count) }
      for (const step of steps) {
        for (const [id, outcome] of step) if (!expected.has(id)) expected.set(id, outcome)
        state = settle(state, step, count)
      }
      for (let id = 0; id < count; id++) expect(outcomeOf(state, id)).toBe(expected.get(id))
      const counts = Object.fromEntries(
        outcomes.map((outcome) => [outcome, [...expected.values()].filter((one) => one === outcome).length]),
      )
      expect(countSettled(state, count)).toEqual(counts)
    }),
  )
})

test('settling leaves its argument as it was', () => {
  const before = settle({ settled: nothingSettled(8) }, new Map([[0, 'skipped']]), 8)
  const copy = structuredClone(before)
  settle(
    before,
    new Map([
      [1, 'skipped'],
      [2, 'failed'],
    ]),
    8,
  )
  expect(before).toEqual(copy)
})

test('nothing is said about skipped tasks while there are none', () => {
  expect(settle({ settled: nothingSettled(1) }, new Map([[0, 'cancelled']]), 1)).not.toHaveProperty('skipped')
})

test('10,000 tasks take 2,500 bytes, and 1,250 more once one is skipped', () => {
  const state = settle({ settled: nothingSettled(10_000) }, new Map([[9_999, 'skipped']]), 10_000)
  expect(state.settled).toHaveLength(2500)
  expect(state.skipped).toHaveLength(1250)
})

test('a task beyond the end is open', () => {
  expect(outcomeOf({ settled: nothingSettled(4) }, 4)).toBeUndefined()
})

test('what is reopened is open again and can be settled anew; the rest stays', () => {
  const outcomes = new Map([0, 1, 2, 3, 4, 5, 6, 7, 8].map((id) => [id, 'skipped' as const]))
  const before = settle({ settled: nothingSettled(9) }, outcomes, 9)
  const after = reopen(before, [1, 8])
  expect(Array.from({ length: 9 }, (_, id) => outcomeOf(after, id)).flatMap((one, id) => (one ? [] : [id]))).toEqual([
    1, 8,
  ])
  expect(outcomeOf(settle(after, new Map([[8, 'cancelled']]), 9), 8)).toBe('cancelled')
  expect(outcomeOf(before, 1)).toBe('skipped')
  expect(reopen(before, outcomes.keys())).toEqual({ settled: nothingSettled(9) })
  expect(reopen({ settled: nothingSettled(1) }, [0])).toEqual({ settled: nothingSettled(1) })
})
