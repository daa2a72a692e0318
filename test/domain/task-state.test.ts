import { describe, expect, test } from 'vitest'
import type { Task } from '../../lib/domain/graph/graph.ts'
import type { Outcome, TaskRun } from '../../lib/domain/task-run.ts'
import { isOverdue, shownState } from '../../lib/domain/task-state.ts'
import { aDispatch, aFence, aGraph, aRun, someTime } from '../support/builders.ts'

const [task] = aGraph([{ retry: { attempts: 2 } }]).tasks as [Task]
const at = (seconds: number) => ({ now: someTime + seconds * 1000, confirmSeconds: 900 })

test.each(['succeeded', 'failed', 'cancelled', 'skipped'] as const)(
  'a task that is settled as %s is shown so, whatever its run says',
  (outcome: Outcome) => {
    const dispatch = aDispatch({ outcomes: { 0: outcome }, fences: [aFence()] })
    expect(shownState(dispatch, task, aRun(), at(0))).toBe(outcome)
    expect(shownState(dispatch, task, undefined, at(10_000))).toBe(outcome)
  },
)

test.each<[string, Partial<TaskRun> | undefined, string]>([
  ['never claimed', undefined, 'pending'],
  ['claimed', { state: 'submitting' }, 'submitting'],
  ['given back', { state: 'released' }, 'pending'],
  ['queued', { state: 'queued' }, 'queued'],
  ['running', { state: 'running' }, 'running'],
  ['succeeded, not settled yet', { state: 'succeeded' }, 'succeeded'],
  ['failed, with an attempt left', { state: 'failed' }, 'pending'],
  ['failed for the last time', { state: 'failed', attempt: 2 }, 'failed'],
  ['lost, with an attempt left', { state: 'lost' }, 'pending'],
  ['lost for the last time', { state: 'lost', attempt: 3 }, 'failed'],
])('a task that is %s', (_, run, shown) => {
  expect(shownState(aDispatch(), task, run && aRun(run), at(0))).toBe(shown)
})

describe('behind a fence', () => {
  const dispatch = aDispatch({
    fences: [aFence({ id: 'late', at: someTime + 600_000 }), aFence({ id: 'early', at: someTime })],
  })

  test('a live task is cancelling, and unconfirmed from 900 s after the oldest fence on', () => {
    expect(shownState(dispatch, task, aRun(), at(899))).toBe('cancelling')
    expect(shownState(dispatch, task, aRun(), at(900))).toBe('unconfirmed')
  })

  test('a task without a live run is never unconfirmed: nothing of it is left to stop', () => {
    expect(shownState(dispatch, task, undefined, at(2000))).toBe('cancelling')
    expect(shownState(dispatch, task, aRun({ state: 'released', live: false }), at(2000))).toBe('cancelling')
  })
})

test('a fence is overdue at its deadline, not before', () => {
  expect(isOverdue({ at: someTime }, at(899.999))).toBe(false)
  expect(isOverdue({ at: someTime }, at(900))).toBe(true)
})

test('a task that was reopened is pending until it is claimed again', () => {
  const redriven = aDispatch({ redrives: 1 })
  const over = aRun({ state: 'cancelled', live: false })
  expect(shownState(redriven, task, over, at(0))).toBe('pending')
  expect(shownState(redriven, task, { ...over, redrive: 1, state: 'succeeded' }, at(0))).toBe('succeeded')
  expect(shownState(redriven, task, aRun(), at(0)), 'one that ran on beside the redrive').toBe('running')
})
