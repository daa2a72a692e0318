import { describe, expect, test } from 'vitest'
import type { Task } from '../../../lib/domain/graph/graph.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import { retryAt } from '../../../lib/domain/turn/retry.ts'
import { aGraph, aRun, someTime } from '../../support/builders.ts'

const failure = (retryable: boolean) => ({ code: 'x', message: 'it broke', retryable, source: 'batch' })

/** Seconds from the end of an attempt to the next, or undefined where there is none. */
function delayOf(run: Partial<TaskRun>, retry?: Task['retry']): number | undefined {
  const [task] = aGraph([retry ? { retry } : {}]).tasks
  const at = retryAt(task as Task, aRun({ endedAt: someTime, ...run }))
  return at === undefined ? undefined : (at - someTime) / 1000
}

describe('a job that its back end lost', () => {
  test.each([
    [1, 2],
    [2, 4],
    [3, undefined],
  ])('is repeated up to three times in all: after attempt %i, %s s', (attempt, delay) => {
    expect(delayOf({ state: 'lost', attempt })).toBe(delay)
    expect(delayOf({ state: 'failed', attempt, failure: failure(true) })).toBe(delay)
  })

  test('is repeated as often as the task asks for, where that is more', () => {
    expect(delayOf({ state: 'lost', attempt: 3 }, { attempts: 4 })).toBe(8)
    expect(delayOf({ state: 'lost', attempt: 2 }, { attempts: 1 })).toBe(4)
  })
})

describe("a task's own failure", () => {
  test('is final by default', () => {
    expect(delayOf({ state: 'failed', failure: failure(false) })).toBeUndefined()
    expect(delayOf({ state: 'failed' })).toBeUndefined()
  })

  test.each([
    [1, 2],
    [5, 32],
    [6, 60],
    [9, 60],
    [10, undefined],
  ])('with ten attempts, the delays double up to a minute: after attempt %i, %s s', (attempt, delay) => {
    expect(delayOf({ state: 'failed', attempt, failure: failure(false) }, { attempts: 10 })).toBe(delay)
  })
})

test.each(['submitting', 'released', 'queued', 'running', 'succeeded', 'cancelled'] as const)(
  'there is nothing to repeat while an attempt is %s',
  (state) => {
    expect(delayOf({ state }, { attempts: 10 })).toBeUndefined()
  },
)

test('an attempt without an end is counted from its claim', () => {
  const run = aRun({ state: 'lost', claimedAt: someTime })
  expect(retryAt(aGraph().tasks[0] as Task, run)).toBe(someTime + 2000)
})

test('attempts of an older drive do not count', () => {
  expect(delayOf({ state: 'lost', attempt: 6, firstAttempt: 5 })).toBe(4)
  expect(delayOf({ state: 'lost', attempt: 7, firstAttempt: 5 })).toBeUndefined()
})
