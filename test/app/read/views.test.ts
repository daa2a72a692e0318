import { describe, expect, test } from 'vitest'
import { cancellationView, dispatchRow, dispatchState, dispatchView, taskView } from '../../../lib/app/read/views.ts'
import { measureSpend } from '../../../lib/domain/budget/spend.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { Fence } from '../../../lib/domain/fence.ts'
import type { Task } from '../../../lib/domain/graph/graph.ts'
import type { Outcome } from '../../../lib/domain/task-run.ts'
import { aCancellation, aDispatch, aFence, aGraph, aRun, aScope, someId, someTime } from '../../support/builders.ts'

const at = (seconds: number) => ({ now: someTime + seconds * 1000, confirmSeconds: 900, awaySeconds: 300 })
const created = new Date(someTime).toISOString()
const later = new Date(someTime + 5000).toISOString()

test('a row of a list says what META says', () => {
  const outcomes = { 0: 'succeeded', 1: 'skipped' } as const
  expect(dispatchRow(aDispatch({ taskCount: 4, outcomes, tags: { a: 'b' } }))).toEqual({
    dispatchId: someId,
    name: 'a dispatch',
    owner: 'ada',
    state: 'running',
    tags: { a: 'b' },
    createdAt: created,
    taskCount: 4,
    settledCount: 2,
  })
  expect(dispatchRow(aDispatch({ status: 'failed', endedAt: someTime + 5000 }))).toMatchObject({
    state: 'failed',
    endedAt: later,
  })
})

test('a running dispatch is cancelling once all of it is fenced, and what it ended as after that', () => {
  const part = aFence({ scope: aScope([0], 1) })
  expect(dispatchState(aDispatch())).toBe('running')
  expect(dispatchState(aDispatch({ fences: [part] }))).toBe('running')
  expect(dispatchState(aDispatch({ fences: [aFence()] }))).toBe('cancelling')
  expect(dispatchState(aDispatch({ fences: [aFence()], status: 'cancelled' }))).toBe('cancelled')
})

test('a dispatch counts its tasks by what is shown of them', () => {
  const dispatch = aDispatch({ taskCount: 5, outcomes: { 0: 'succeeded', 1: 'skipped' } })
  const graph = aGraph([{}, {}, {}, {}, {}])
  const runs = [aRun({ id: 2 }), aRun({ id: 3, state: 'queued' })]
  const spend = measureSpend({ settled: undefined, graph, live: [] }, () => undefined, someTime)
  const seen = { dispatch, graph, runs, cancellations: [aCancellation({ taskIds: [1] })], spend }
  const view = dispatchView(seen, at(0), 'file:///result')
  expect(view).toMatchObject({
    tasks: { succeeded: 1, skipped: 1, running: 1, queued: 1, pending: 1 },
    cancellations: [{ cancellationId: 'cancellation-1', at: created, scope: 'tasks', actor: 'ada', source: 'api' }],
    resultUri: 'file:///result',
  })
  for (const absent of ['resultUri', 'spend', 'failure'])
    expect(dispatchView({ ...seen, cancellations: [] }, at(0), undefined)).not.toHaveProperty(absent)
})

test('a dispatch says what it has spent, and why it failed as a whole', () => {
  const graph = aGraph()
  const settled = { batch: { usd: 2, unknownJobs: 1 } }
  const spend = measureSpend({ settled, graph, live: [] }, () => undefined, someTime)
  const late = aFence({ source: 'timeout', reason: 'it ran longer than its 5 s' })
  const view = (dispatch: Dispatch) =>
    dispatchView({ dispatch, graph, runs: [], cancellations: [], spend }, at(0), undefined)
  expect(view(aDispatch({ budget: { limitUsd: 9 } })).spend).toEqual({ totalUsd: 2, unknownJobs: 1, limitUsd: 9 })
  expect(view(aDispatch({ status: 'failed', fences: [late] })).failure).toEqual({
    code: 'TimedOut',
    message: 'it ran longer than its 5 s',
  })
  expect(view(aDispatch({ status: 'failed', fences: [aFence()] }))).not.toHaveProperty('failure')
})

describe('a task', () => {
  const [task] = aGraph([{ name: 'split', executor: 'ssh' }]).tasks as [Task]
  const resultUri = (attempt: number) => `file:///result/${attempt}`
  const bare = { taskId: 0, name: 'split', executor: 'ssh', needs: [] }

  test('that was never claimed has no attempt', () => {
    const view = taskView(aDispatch(), task, undefined, at(0), resultUri)
    expect(view).toEqual({ ...bare, state: 'pending', attempt: 0 })
  })

  test('shows all that is known of its run, and its result when it has succeeded', () => {
    const failure = { code: 'ExitCode', message: 'exit 3', retryable: false, source: 'ssh' }
    const run = aRun({
      attempt: 2,
      submittedAt: someTime,
      startedAt: someTime,
      endedAt: someTime + 5000,
      exitCode: 0,
      failure,
    })
    const view = taskView(aDispatch({ outcomes: { 0: 'succeeded' } }), task, run, at(0), resultUri)
    expect(view).toEqual({
      ...bare,
      state: 'succeeded',
      attempt: 2,
      handle: { id: 'job-0' },
      submittedAt: created,
      startedAt: created,
      endedAt: later,
      exitCode: 0,
      failure: { code: 'ExitCode', message: 'exit 3', source: 'ssh' },
      resultUri: 'file:///result/2',
    })
  })
})

describe('a cancellation', () => {
  const record = aCancellation({ id: 'fence-1' })

  /** Three tasks, of which the first two are in scope. */
  const view = (
    options: { fence?: Partial<Fence>; outcomes?: Record<number, Outcome>; live?: number[]; second?: number } = {},
  ) => {
    const { fence, outcomes = {}, live = [], second = 0 } = options
    const dispatch = aDispatch({
      taskCount: 3,
      outcomes,
      fences: [aFence({ scope: aScope([0, 1], 3), ...fence })],
    })
    const runs = live.map((id) => aRun({ id, executor: id === 0 ? 'batch' : 'ssh' }))
    return cancellationView(record, dispatch, runs, at(second))
  }

  test('is stopping while a job in its scope is live', () => {
    expect(view({ live: [0, 1, 2], outcomes: { 1: 'cancelled' }, fence: { abandoned: 4 } })).toMatchObject({
      cancellationId: 'fence-1',
      dispatchId: someId,
      state: 'stopping',
      abandoned: 4,
      backends: { batch: { requested: 1, confirmed: 0, unconfirmed: 0 } },
    })
  })

  test('counts what has ended in its fence, and what is live beside it', () => {
    const ended = { batch: { cancelled: 2, succeeded: 1, failed: 1 }, ssh: { cancelled: 1, succeeded: 0, failed: 0 } }
    expect(view({ live: [0], fence: { ended } }).backends).toEqual({
      batch: { requested: 5, confirmed: 4, unconfirmed: 0, ...ended.batch },
      ssh: { requested: 1, confirmed: 1, unconfirmed: 0, ...ended.ssh },
    })
  })

  test('is unconfirmed when a job is still live after 900 s, and stopping again never', () => {
    expect(view({ live: [0], second: 899 }).state).toBe('stopping')
    expect(view({ live: [0], second: 900 })).toMatchObject({
      state: 'unconfirmed',
      backends: { batch: { requested: 1, unconfirmed: 1 } },
    })
  })

  test('is stopping while a task in its scope is open, also when none is live', () => {
    expect(view({ outcomes: { 0: 'cancelled' } }).state).toBe('stopping')
  })

  test('is confirmed when every task in its scope is settled, whatever runs beside it', () => {
    expect(view({ outcomes: { 0: 'cancelled', 1: 'succeeded' }, live: [2], second: 5000 })).toMatchObject({
      state: 'confirmed',
      backends: {},
    })
  })

  test('of the whole dispatch needs every task', () => {
    expect(view({ fence: { scope: 'all' }, outcomes: { 0: 'cancelled', 1: 'cancelled' } }).state).toBe('stopping')
    const all = { 0: 'cancelled', 1: 'cancelled', 2: 'succeeded' } as const
    expect(view({ fence: { scope: 'all' }, outcomes: all }).state).toBe('confirmed')
  })

  test('whose request died before its fence was not applied', () => {
    const dispatch = aDispatch()
    expect(cancellationView(record, dispatch, [aRun()], at(0))).toMatchObject({
      state: 'not-applied',
      abandoned: 0,
      backends: {},
    })
  })

  test('that came when the dispatch had ended is confirmed: there was nothing to stop', () => {
    expect(cancellationView(record, aDispatch({ status: 'succeeded' }), [], at(0)).state).toBe('confirmed')
  })

  test('whose fence a redrive has taken away says what that knew', () => {
    const final = { abandoned: 2, ended: { batch: { cancelled: 1, succeeded: 1, failed: 0 } } }
    const closed = cancellationView({ ...record, final }, aDispatch({ redrives: 1 }), [aRun()], at(5000))
    expect(closed).toMatchObject({
      state: 'confirmed',
      abandoned: 2,
      backends: { batch: { requested: 2, confirmed: 2, unconfirmed: 0, cancelled: 1, succeeded: 1 } },
    })
  })

  test('that a forced redrive did not wait for stays unconfirmed', () => {
    const final = { abandoned: 0, ended: { batch: { cancelled: 1, succeeded: 0, failed: 0, unconfirmed: 2 } } }
    const closed = cancellationView({ ...record, final }, aDispatch({ redrives: 1 }), [], at(0))
    expect(closed).toMatchObject({
      state: 'unconfirmed',
      backends: { batch: { requested: 3, confirmed: 1, unconfirmed: 2, cancelled: 1 } },
    })
  })

  test('says who asked for what, and why', () => {
    const asked = aCancellation({
      taskIds: [0, 2],
      mode: 'force',
      graceSeconds: 0,
      reason: 'too dear',
      source: 'budget',
    })
    expect(cancellationView(asked, aDispatch(), [], at(0))).toMatchObject({
      scope: 'tasks',
      taskIds: [0, 2],
      mode: 'force',
      graceSeconds: 0,
      reason: 'too dear',
      source: 'budget',
      actor: 'ada',
      at: created,
    })
    expect(cancellationView(record, aDispatch(), [], at(0))).not.toHaveProperty('taskIds')
  })
})

describe('a task of a redriven dispatch that ended cancelled', () => {
  const dispatch = aDispatch({ redrives: 1, drivenAt: someTime + 10_000, outcomes: { 0: 'cancelled' } })
  const [task] = aGraph().tasks as readonly [Task]
  const failure = { code: 'ExitCode', message: 'exit 3', retryable: false, source: 'batch' }
  const viewOf = (second: number) => {
    const run = aRun({ state: 'failed', live: false, startedAt: someTime, endedAt: someTime + second * 1000, failure })
    return taskView(dispatch, task, run, at(60), () => '')
  }

  test('before it was claimed again shows nothing of the attempt before', () => {
    expect(viewOf(5)).toEqual({
      taskId: 0,
      name: 'task-0',
      executor: 'batch',
      needs: [],
      state: 'cancelled',
      attempt: 1,
    })
  })

  test('while its job ran on shows how that ended', () => {
    expect(viewOf(15)).toMatchObject({ state: 'cancelled', endedAt: expect.any(String), failure: { code: 'ExitCode' } })
  })
})

test('a host that is away is shown with its jobs when it has been for five minutes, and not with ended ones', () => {
  const away = { since: someTime, message: 'i-1 is stopped' }
  const view = (run: Parameters<typeof aRun>[0], seconds: number) =>
    taskView(aDispatch(), aGraph().tasks[0] as Task, aRun({ away, ...run }), at(seconds), () => '')
  expect(view({}, 299)).not.toHaveProperty('hostAway')
  expect(view({}, 300)).toMatchObject({ hostAway: { since: created, message: 'i-1 is stopped' } })
  expect(view({ state: 'failed', live: false }, 300)).not.toHaveProperty('hostAway')
})

test('a job that waits is shown with the reason, and one that runs or was is not', () => {
  const view = (run: Parameters<typeof aRun>[0]) =>
    taskView(aDispatch(), aGraph().tasks[0] as Task, aRun({ waitReason: 'Resources', ...run }), at(1), () => '')
  expect(view({ state: 'queued' })).toMatchObject({ state: 'queued', waitReason: 'Resources' })
  expect(view({ state: 'running' })).not.toHaveProperty('waitReason')
})
