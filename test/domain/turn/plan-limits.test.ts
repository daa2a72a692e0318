import { describe, expect, test } from 'vitest'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { Graph, Task } from '../../../lib/domain/graph/graph.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import { planTurn } from '../../../lib/domain/turn/plan-turn.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { aDispatch, aFence, aGraph, aRun, someTime } from '../../support/builders.ts'

interface Scene {
  readonly tasks?: readonly Partial<Task>[]
  readonly graph?: Partial<Graph>
  readonly dispatch?: Parameters<typeof aDispatch>[0]
  readonly runs?: readonly Partial<TaskRun>[]
  readonly second?: number
}

/** A turn where every job costs a cent a second. */
function turnOf({ tasks = [{}], graph, dispatch, runs = [{ startedAt: someTime }], second = 0 }: Scene) {
  const priceOf = () => ({ perSecondUsd: 0.01, minimumSeconds: 0, commitUsd: 0 })
  return planTurn(
    {
      dispatch: aDispatch({ taskCount: tasks.length, polledAt: someTime + second * 1000, ...dispatch }),
      graph: { ...aGraph(tasks), ...graph },
      live: runs.map(aRun),
    },
    { ...defaultPolicy, priceOf },
    someTime + second * 1000,
  )
}

describe('a budget', () => {
  const budget = { limitUsd: 1, warnAtUsd: 0.5 } satisfies Dispatch['budget']

  test('that is not used up changes nothing, and is looked at again when it may be', () => {
    const turn = turnOf({ dispatch: { budget }, second: 30 })
    expect(turn).toMatchObject({ changes: {}, waitSeconds: 20 })
    expect(turn.stop).toBeUndefined()
  })

  test('warns once, in the write of the turn', () => {
    const at = someTime + 50_000
    expect(turnOf({ dispatch: { budget }, second: 50 }).changes).toMatchObject({ budget: { ...budget, warnedAt: at } })
    expect(turnOf({ dispatch: { budget: { ...budget, warnedAt: at } }, second: 60 }).changes).toEqual({})
  })

  test('that is used up stops the dispatch, with the figures, and nothing more is submitted', () => {
    const turn = turnOf({ tasks: [{}, {}], dispatch: { budget }, second: 100 })
    expect(turn.stop).toEqual({ source: 'budget', reason: expect.stringContaining('budget of $1.00 is used up') })
    expect(turn.actions.map(({ kind }) => kind)).not.toContain('submit')
  })

  test('is no reason to stop what has ended with this turn, or is cancelled already', () => {
    const ended = { state: 'succeeded', startedAt: someTime, endedAt: someTime + 200_000 } as const
    expect(turnOf({ dispatch: { budget }, runs: [ended], second: 200 })).toMatchObject({
      changes: { status: 'succeeded', spent: { batch: { usd: 2, unknownJobs: 0 } } },
    })
    expect(turnOf({ dispatch: { budget }, runs: [ended], second: 200 }).stop).toBeUndefined()
    expect(turnOf({ dispatch: { budget, fences: [aFence()] }, second: 200 }).stop).toBeUndefined()
  })
})

test('what is settled is added to what was settled before, and told once to the meter', () => {
  const tasks = [{}, {}, {}]
  const runs = [
    { id: 0, state: 'failed', startedAt: someTime, endedAt: someTime + 100_000 },
    { id: 1, startedAt: someTime },
  ] as const
  const dispatch = { outcomes: { 2: 'succeeded' }, spent: { ssh: { usd: 4, unknownJobs: 0 } }, meteredUsd: 5 } as const
  expect(turnOf({ tasks, runs, dispatch, second: 200 }).changes).toMatchObject({
    spent: { ssh: { usd: 4, unknownJobs: 0 }, batch: { usd: 1, unknownJobs: 0 } },
    meteredUsd: 7,
  })
})

describe('the time limit of a task', () => {
  const tasks = [{ timeoutSeconds: 40 }]
  const killsOf = (scene: Scene) =>
    turnOf({ tasks, ...scene })
      .actions.filter(({ kind }) => kind === 'cancel')
      .map(({ mode, reason, isTimeLimit }) => [mode, reason, isTimeLimit])

  test('wakes the loop when it is reached, and stops the job then', () => {
    expect(turnOf({ tasks, second: 30 })).toMatchObject({ waitSeconds: 10 })
    expect(killsOf({ second: 30 })).toEqual([])
    expect(killsOf({ second: 40 })).toEqual([['graceful', 'it ran longer than its 40 s', true]])
    expect(killsOf({ second: 70 })).toEqual([['force', 'it ran longer than its 40 s', true]])
  })

  test('gives way to a cancellation, whose reason it is then', () => {
    const dispatch = { fences: [aFence({ at: someTime + 39_000 })] }
    expect(killsOf({ dispatch, second: 41 })).toEqual([['graceful', 'enough', undefined]])
  })
})

describe('the time limit of a dispatch', () => {
  const graph = { timeoutSeconds: 90 }

  test('stops it when it is reached', () => {
    expect(turnOf({ graph, second: 80 })).toMatchObject({ waitSeconds: 10 })
    expect(turnOf({ graph, second: 90 }).stop).toEqual({ source: 'timeout', reason: 'it ran longer than its 90 s' })
  })

  test('makes it fail, and not cancelled', () => {
    const late = { state: 'cancelled' } as const
    const stopped = (fences: readonly Parameters<typeof aFence>[0][]) =>
      turnOf({ graph, runs: [late], dispatch: { fences: fences.map((fence) => aFence(fence)) }, second: 120 }).changes
    expect(stopped([{ source: 'timeout' }])).toMatchObject({ status: 'failed' })
    expect(stopped([{ source: 'api' }])).toMatchObject({ status: 'cancelled' })
    expect(
      stopped([
        { id: 'b', source: 'timeout', at: 2 },
        { id: 'a', source: 'api', at: 1 },
      ]),
    ).toMatchObject({
      status: 'cancelled',
    })
  })
})
