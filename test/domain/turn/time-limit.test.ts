import { describe, expect, test } from 'vitest'
import type { Task } from '../../../lib/domain/graph/graph.ts'
import { dispatchDeadline, taskDeadline, timeLimitStop } from '../../../lib/domain/turn/time-limit.ts'
import { aDispatch, aGraph, aRun, someTime } from '../../support/builders.ts'

const limited = aGraph([{ timeoutSeconds: 60 }]).tasks[0] as Task
const unlimited = aGraph([{}]).tasks[0] as Task

describe('a running attempt', () => {
  const run = aRun({ startedAt: someTime })

  test('has its time from its start', () => {
    expect(taskDeadline(limited, run)).toBe(someTime + 60_000)
    expect(timeLimitStop(limited, run, someTime + 59_999)).toBeUndefined()
    expect(timeLimitStop(limited, run, someTime + 60_000)).toEqual({
      mode: 'graceful',
      graceSeconds: 30,
      reason: 'it ran longer than its 60 s',
      at: someTime + 60_000,
      isTimeLimit: true,
    })
  })

  test.each([
    ['its task has no limit', unlimited, run],
    ['it is queued', limited, aRun({ state: 'queued', startedAt: someTime })],
    ['nobody knows when it started', limited, aRun()],
    ['it has ended', limited, aRun({ state: 'failed', startedAt: someTime })],
  ])('has no deadline where %s', (_, task, other) => {
    expect(taskDeadline(task, other)).toBeUndefined()
    expect(timeLimitStop(task, other, someTime + 1e9)).toBeUndefined()
  })
})

test('a dispatch has its time from its creation, if its graph gives it any', () => {
  expect(dispatchDeadline(aDispatch(), aGraph())).toBeUndefined()
  expect(dispatchDeadline(aDispatch(), { ...aGraph(), timeoutSeconds: 5 })).toBe(someTime + 5_000)
})
