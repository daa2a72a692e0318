import { expect, test } from 'vitest'
import { tallyFences } from '../../../lib/domain/cancel/tally-fences.ts'
import { unconfirmedEnd } from '../../../lib/domain/redrive/given-up.ts'
import type { Outcome } from '../../../lib/domain/task-run.ts'
import { aDispatch, aFence, aRun, aScope } from '../../support/builders.ts'

const outcomes = (entries: Record<number, Outcome>) =>
  new Map(Object.entries(entries).map(([id, outcome]) => [Number(id), outcome]))

test('a fence counts how its live tasks ended by executor, and the others as abandoned', () => {
  const { fences } = aDispatch({ taskCount: 5, fences: [aFence({ scope: aScope([0, 1, 2, 3], 5) })] })
  const live = [aRun({ id: 0 }), aRun({ id: 1 }), aRun({ id: 2, executor: 'ssh' }), aRun({ id: 4 })]
  const settled = outcomes({ 0: 'cancelled', 1: 'succeeded', 2: 'failed', 3: 'cancelled', 4: 'failed' })
  expect(tallyFences(fences, settled, live)).toMatchObject({
    'fence-1': {
      abandoned: 1,
      ended: {
        batch: { cancelled: 1, succeeded: 1, failed: 0 },
        ssh: { cancelled: 0, succeeded: 0, failed: 1 },
      },
    },
  })
})

test('counts are added to those that are there, in every fence that covers the task', () => {
  const ended = { batch: { cancelled: 2, succeeded: 0, failed: 0 } }
  const before = aDispatch({
    taskCount: 2,
    fences: [aFence({ id: 'a', abandoned: 3, ended }), aFence({ id: 'b', scope: aScope([0], 2) })],
  }).fences
  const after = tallyFences(before, outcomes({ 0: 'cancelled', 1: 'cancelled' }), [aRun()])
  expect(after.a).toMatchObject({ abandoned: 4, ended: { batch: { cancelled: 3 } } })
  expect(after.b).toMatchObject({ abandoned: 0, ended: { batch: { cancelled: 1 } } })
  expect(before.a).toMatchObject({ abandoned: 3, ended })
})

test('a skipped task counts as abandoned, for no job of it was ended', () => {
  const { fences } = aDispatch({ fences: [aFence()] })
  expect(tallyFences(fences, outcomes({ 0: 'skipped' }), [aRun()])['fence-1']).toMatchObject({
    abandoned: 1,
    ended: {},
  })
})

test('a job that a forced redrive did not wait for counts as unconfirmed, not as cancelled', () => {
  const { fences } = aDispatch({ taskCount: 2, fences: [aFence()] })
  const live = [aRun({ state: 'lost', failure: unconfirmedEnd('ada') }), aRun({ id: 1, state: 'lost' })]
  expect(tallyFences(fences, outcomes({ 0: 'cancelled', 1: 'cancelled' }), live)['fence-1']?.ended).toEqual({
    batch: { cancelled: 1, succeeded: 0, failed: 0, unconfirmed: 1 },
  })
})
