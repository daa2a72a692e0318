import { describe, expect, test } from 'vitest'
import { isStopping, settledWithout, unconfirmedRuns } from '../../../lib/domain/cancel/unconfirmed.ts'
import { isGivenUp, unconfirmedEnd } from '../../../lib/domain/redrive/given-up.ts'
import { outcomeOf } from '../../../lib/domain/settled.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { aDispatch, aFence, aGraph, aRun, aScope, someTime } from '../../support/builders.ts'

const fences = [aFence({ scope: aScope([0, 1], 3) })]
const graph = aGraph([{}, {}, {}])

describe('a cancellation', () => {
  test('still waits while a task in its scope is open', () => {
    expect(isStopping(aDispatch({ taskCount: 3, fences, outcomes: { 0: 'cancelled' } }))).toBe(true)
    expect(isStopping(aDispatch({ taskCount: 3, fences, outcomes: { 0: 'cancelled', 1: 'succeeded' } }))).toBe(false)
    expect(isStopping(aDispatch({ taskCount: 3 }))).toBe(false)
    expect(isStopping(aDispatch({ taskCount: 3, fences: [aFence()], outcomes: { 0: 'failed' } }))).toBe(true)
  })

  test.each<[TaskRun['state'], boolean]>([
    ['submitting', true],
    ['queued', true],
    ['running', true],
    ['released', false],
    ['succeeded', false],
    ['failed', false],
    ['cancelled', false],
    ['lost', false],
  ])('does not know the end of an attempt that is %s: %s', (state, isUnknown) => {
    const dispatch = aDispatch({ taskCount: 3, fences })
    expect(unconfirmedRuns({ dispatch, live: [aRun({ state })] })).toHaveLength(isUnknown ? 1 : 0)
    expect(unconfirmedRuns({ dispatch, live: [aRun({ id: 2, state })] })).toEqual([])
    const settled = aDispatch({ taskCount: 3, fences, outcomes: { 0: 'cancelled' } })
    expect(unconfirmedRuns({ dispatch: settled, live: [aRun({ state })] })).toEqual([])
  })
})

test('without the unconfirmed jobs, all that is covered is settled, with its own end where it has one', () => {
  const dispatch = aDispatch({ taskCount: 3, fences: [aFence({ scope: aScope([0, 1, 2], 3) })] })
  const live = [aRun({ id: 0, state: 'running' }), aRun({ id: 1, state: 'succeeded' })]
  const settled = settledWithout({ dispatch, graph, live }, defaultPolicy, someTime)
  expect([0, 1, 2].map((id) => outcomeOf(settled, id))).toEqual(['cancelled', 'succeeded', 'cancelled'])
})

test('an attempt is given up by its failure, not by being lost', () => {
  expect(isGivenUp(aRun({ state: 'lost', failure: unconfirmedEnd('ada') }))).toBe(true)
  expect(isGivenUp(aRun({ state: 'lost' }))).toBe(false)
  expect(isGivenUp(aRun({ state: 'failed', failure: { ...unconfirmedEnd('ada'), code: 'ExitCode' } }))).toBe(false)
})
