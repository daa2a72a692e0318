import { describe, expect, test } from 'vitest'
import { addAmounts, nothingSpent } from '../../../lib/domain/budget/amounts.ts'
import type { PriceOf } from '../../../lib/domain/budget/price.ts'
import { measureSpend, spentOn } from '../../../lib/domain/budget/spend.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import { aGraph, aRun, someTime } from '../../support/builders.ts'

/** Batch: a cent a second, a minute at least. Braket: 2 dollars a task. SSH: nobody knows. */
const priceOf: PriceOf = ({ executor }) =>
  ({
    batch: { perSecondUsd: 0.01, minimumSeconds: 60, commitUsd: 0 },
    braket: { perSecondUsd: 0, minimumSeconds: 0, commitUsd: 2 },
  })[executor]

const graph = aGraph([{ executor: 'batch' }, { executor: 'braket' }, { executor: 'ssh' }, { executor: 'sublattice' }])
const runOf = (executor: string, changes: Partial<TaskRun> = {}) =>
  aRun({ id: ['batch', 'braket', 'ssh', 'sublattice'].indexOf(executor), executor, ...changes })
const seconds = (n: number) => someTime + n * 1000
const startedAt = someTime

const measure = (live: readonly TaskRun[], second = 0, settled = nothingSpent) =>
  measureSpend({ settled, graph, live }, priceOf, seconds(second))

describe('a job that is billed by time', () => {
  test.each([
    ['has not started', { state: 'queued' }, 100, 0],
    ['has just started, and is billed its minimum', { startedAt }, 1, 0.6],
    ['runs for longer', { startedAt }, 100, 1],
    ['has ended', { state: 'succeeded', startedAt, endedAt: seconds(200) }, 500, 2],
    ['ended before it started', { state: 'failed', endedAt: seconds(200) }, 500, 0],
    ['is a claim without a job', { state: 'submitting' }, 500, 0],
  ] as const)('that %s', (_, changes, second, total) => {
    expect(measure([runOf('batch', changes)], second).totalUsd).toBeCloseTo(total, 10)
  })

  test('counts as running until it has ended, and then as settled', () => {
    expect(measure([runOf('batch', { startedAt })], 100)).toMatchObject({
      settled: {},
      running: { batch: { usd: 1, unknownJobs: 0 } },
      usdPerSecond: 0.01,
      overshootUsd: 0.6,
    })
    expect(measure([runOf('batch', { state: 'failed', startedAt, endedAt: seconds(100) })], 500)).toMatchObject({
      settled: { batch: { usd: 1 } },
      running: {},
      overshootUsd: 0,
    })
  })
})

describe('a job that is paid for when it is made', () => {
  test.each([
    ['is a claim without a job', { state: 'submitting' }, { committed: {}, settled: {}, totalUsd: 0 }],
    ['is queued', { state: 'queued' }, { committed: { braket: { usd: 2, unknownJobs: 0 } }, settled: {} }],
    ['was cancelled before it ran', { state: 'cancelled' }, { committed: {}, settled: {}, totalUsd: 0 }],
    ['was cancelled while it ran', { state: 'cancelled', startedAt }, { settled: { braket: { usd: 2 } } }],
    ['has succeeded', { state: 'succeeded', startedAt }, { settled: { braket: { usd: 2 } }, committed: {} }],
  ] as const)('that %s', (_, changes, expected) => {
    expect(measure([runOf('braket', changes)], 10)).toMatchObject(expected)
  })
})

test('a job whose price nobody knows is counted as one, and never as nothing', () => {
  const spend = measure([runOf('ssh', { startedAt })], 100)
  expect(spend).toMatchObject({ running: { ssh: { usd: 0, unknownJobs: 1 } }, unknownJobs: 1, totalUsd: 0 })
})

test('a child counts by what it has spent itself, under the back ends that it was spent on', () => {
  const childSpend = { batch: { usd: 3, unknownJobs: 0 }, ssh: { usd: 0, unknownJobs: 4 } }
  expect(measure([runOf('sublattice', { childSpend }), runOf('batch', { startedAt })], 100)).toMatchObject({
    running: { batch: { usd: 4, unknownJobs: 0 }, ssh: { usd: 0, unknownJobs: 4 } },
    totalUsd: 4,
    unknownJobs: 4,
  })
  expect(measure([runOf('sublattice')]).totalUsd).toBe(0)
})

test('earlier attempts are settled, also while the next has no job yet', () => {
  const earlierSpend = { batch: { usd: 7, unknownJobs: 0 } }
  expect(measure([runOf('batch', { state: 'submitting', earlierSpend })])).toMatchObject({ settled: earlierSpend })
  const run = runOf('batch', { earlierSpend, state: 'succeeded', startedAt, endedAt: seconds(100) })
  expect(spentOn(run, graph, priceOf, seconds(500))).toEqual({ batch: { usd: 8, unknownJobs: 0 } })
})

test('what was settled before is part of the total', () => {
  const settled = { batch: { usd: 5, unknownJobs: 1 } }
  expect(measure([runOf('batch', { startedAt })], 100, settled)).toMatchObject({ totalUsd: 6, unknownJobs: 1 })
})

test('amounts add up by executor', () => {
  const a = { batch: { usd: 1, unknownJobs: 1 } }
  const b = { batch: { usd: 2, unknownJobs: 0 }, ssh: { usd: 0, unknownJobs: 3 } }
  expect(addAmounts(a, b)).toEqual({ batch: { usd: 3, unknownJobs: 1 }, ssh: { usd: 0, unknownJobs: 3 } })
})
