import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { Fence } from '../../../lib/domain/fence.ts'
import { effectiveNeeds } from '../../../lib/domain/graph/effective-needs.ts'
import type { Graph, Task } from '../../../lib/domain/graph/graph.ts'
import { topologicalOrder } from '../../../lib/domain/graph/topological-order.ts'
import { outcomeOf } from '../../../lib/domain/settled.ts'
import type { Outcome, RunState, TaskRun } from '../../../lib/domain/task-run.ts'
import type { Action } from '../../../lib/domain/turn/action.ts'
import { planTurn, type Snapshot } from '../../../lib/domain/turn/plan-turn.ts'
import { defaultPolicy, type Policy } from '../../../lib/domain/turn/policy.ts'
import { aDispatch, aFence, aGraph, aRandomGraph, aRun, aScope, someTime } from '../../support/builders.ts'
import { createRandom, type Random } from '../../support/random.ts'

interface Scene {
  readonly tasks?: readonly Partial<Task>[]
  readonly outcomes?: Readonly<Record<number, Outcome>>
  readonly fences?: readonly Fence[]
  readonly runs?: readonly Partial<TaskRun>[]
  readonly dispatch?: Partial<Omit<Dispatch, 'fences'>>
  readonly policy?: Partial<Policy>
  /** Seconds after `someTime`, when everything in the scene was made. */
  readonly second?: number
}

function turnOf({ tasks = [{}], outcomes = {}, fences = [], runs = [], dispatch, policy, second = 0 }: Scene) {
  const { spend: _, ...turn } = planTurn(
    {
      dispatch: aDispatch({ taskCount: tasks.length, outcomes, fences, polledAt: someTime, ...dispatch }),
      graph: aGraph(tasks),
      live: runs.map(aRun),
    },
    { ...defaultPolicy, ...policy },
    someTime + second * 1000,
  )
  return { ...turn, outcomes: Object.fromEntries(turn.outcomes), actions: turn.actions.map(brief) }
}

/** An action as `submit batch 0.1 1.1`: task and attempt; or as `submit batch P`: a pack. */
function brief({ kind, executor, tasks, mode, isTimeLimit, pack }: Action): string {
  return [
    kind,
    ...(mode === undefined ? [] : [mode]),
    ...(isTimeLimit ? ['(time limit)'] : []),
    executor,
    ...(pack === undefined ? [] : [pack]),
    ...tasks.map(({ taskId, attempt }) => `${taskId}.${attempt}`),
  ].join(' ')
}

const retryable = { code: 'HostLost', message: 'gone', retryable: true, source: 'batch' }

describe('what starts', () => {
  test('tasks whose needs have all succeeded are submitted, in id order and by executor', () => {
    const tasks = [{}, { needs: [0] }, { needs: [0], executor: 'ssh' }, { needs: [0, 1] }, {}]
    expect(turnOf({ tasks, outcomes: { 0: 'succeeded' } })).toMatchObject({
      actions: ['submit batch 1.1 4.1', 'submit ssh 2.1'],
      outcomes: {},
      finished: false,
    })
  })

  test('a task that became ready by what this turn settles is submitted in the same turn', () => {
    const turn = turnOf({ tasks: [{}, { needs: [0] }], runs: [{ state: 'succeeded' }] })
    expect(turn).toMatchObject({ outcomes: { 0: 'succeeded' }, clear: [0], actions: ['submit batch 1.1'] })
  })

  test('in a redriven dispatch a submit says how often that was, and what else is done does not', () => {
    const dispatch = { redrives: 2, polledAt: 0 }
    const snapshot = { graph: aGraph([{}, {}]), dispatch: aDispatch({ taskCount: 2, ...dispatch }), live: [aRun()] }
    const { actions } = planTurn(snapshot, defaultPolicy, someTime)
    expect(actions.map(({ kind, redrives }) => [kind, redrives])).toEqual([
      ['submit', 2],
      ['poll', undefined],
    ])
  })

  test('post-processing waits for every other task', () => {
    const tasks = [{}, {}, { postProcess: true, needs: [0] }]
    expect(turnOf({ tasks, outcomes: { 0: 'succeeded' }, runs: [{ id: 1 }] }).actions).toEqual([])
    expect(turnOf({ tasks, outcomes: { 0: 'succeeded', 1: 'succeeded' } }).actions).toEqual(['submit batch 2.1'])
  })

  test('what can never start is skipped, however far behind the failure, and other branches run on', () => {
    const tasks = [{}, { needs: [0] }, { needs: [1] }, {}, { needs: [2, 3] }]
    expect(turnOf({ tasks, runs: [{ state: 'failed', endedAt: someTime }] })).toMatchObject({
      outcomes: { 0: 'failed', 1: 'skipped', 2: 'skipped', 4: 'skipped' },
      actions: ['submit batch 3.1'],
    })
  })

  test('no more than the policy says are submitted in a turn, and the next turn follows at once', () => {
    const turn = turnOf({ tasks: [{}, {}, {}], policy: { submitsPerTurn: 2 } })
    expect(turn).toMatchObject({ actions: ['submit batch 0.1 1.1'], waitSeconds: 1 })
  })

  test('actions carry as many tasks as their executor takes, 25 where it does not say', () => {
    const tasks = [...Array.from({ length: 5 }, () => ({})), ...Array.from({ length: 27 }, () => ({ executor: 'ssh' }))]
    const { actions } = turnOf({ tasks, policy: { chunks: { batch: { submit: 2, poll: 100, cancel: 50 } } } })
    expect(actions.map((action) => action.split(' ').length - 2)).toEqual([2, 2, 1, 25, 2])
  })
})

describe('a pack', () => {
  const chunk = { submit: 25, poll: 100, cancel: 50 }
  const policy = { chunks: { batch: { ...chunk, packs: true }, ssh: chunk } }
  const pack = 'P'

  test('starts as one job, beside what starts alone', () => {
    const { actions } = turnOf({ tasks: [{}, { pack }, { pack }, {}], policy })
    expect(actions).toEqual(['submit batch P', 'submit batch 0.1 3.1'])
  })

  test('waits for its last member, and keeps nobody else waiting', () => {
    const tasks = [{}, { pack }, { pack, needs: [0] }, { needs: [0] }]
    expect(turnOf({ tasks, runs: [{}], policy }).actions).toEqual([])
    expect(turnOf({ tasks, outcomes: { 0: 'succeeded' }, policy }).actions).toEqual([
      'submit batch P',
      'submit batch 3.1',
    ])
  })

  test('of which a fence has left one member is no pack', () => {
    const tasks = [{ pack }, { pack }]
    const turn = turnOf({ tasks, fences: [aFence({ scope: aScope([0], 2) })], policy })
    expect(turn).toMatchObject({ actions: ['submit batch 1.1'], outcomes: { 0: 'cancelled' } })
  })

  test('makes later attempts of its members alone', () => {
    const runs = [0, 1].map((id) => ({ id, state: 'lost', endedAt: someTime }) as const)
    expect(turnOf({ tasks: [{ pack }, { pack }], runs, second: 2, policy }).actions).toEqual(['submit batch 0.2 1.2'])
  })

  test('is a word only, where the back end has no packs', () => {
    const ssh = { pack, executor: 'ssh' }
    expect(turnOf({ tasks: [ssh, ssh], policy }).actions).toEqual(['submit ssh 0.1 1.1'])
  })
})

describe('what has ended', () => {
  test.each(['succeeded', 'cancelled'] as const)(
    'an attempt that %s settles its task and leaves the index',
    (state) => {
      expect(turnOf({ tasks: [{}, {}], runs: [{ state }] })).toMatchObject({ outcomes: { 0: state }, clear: [0] })
    },
  )

  test('a lost attempt is submitted again under the next number, when its delay is over', () => {
    const runs = [{ state: 'lost', endedAt: someTime } as const]
    expect(turnOf({ runs, second: 1 })).toMatchObject({ outcomes: {}, actions: [], waitSeconds: 1 })
    expect(turnOf({ runs, second: 2 })).toMatchObject({ outcomes: {}, actions: ['submit batch 0.2'] })
  })

  test('a failure that may be repeated waits for its turn, and sleeps until then', () => {
    const run = { state: 'failed', attempt: 4, endedAt: someTime } as const
    const scene = { tasks: [{ retry: { attempts: 5 } }], runs: [run] }
    expect(turnOf({ ...scene, second: 1 })).toMatchObject({ actions: [], waitSeconds: 15, finished: false })
  })

  test('a failure for the last time fails the task', () => {
    expect(turnOf({ runs: [{ state: 'failed', attempt: 3, failure: retryable }] }).outcomes).toEqual({ 0: 'failed' })
    expect(turnOf({ runs: [{ state: 'lost', attempt: 3 }] }).outcomes).toEqual({ 0: 'failed' })
  })

  test('a live mark that a crash has left on a settled task is taken away', () => {
    const turn = turnOf({ tasks: [{}, {}], outcomes: { 0: 'succeeded' }, runs: [{ state: 'succeeded' }, { id: 1 }] })
    expect(turn).toMatchObject({ clear: [0], outcomes: {}, changes: {} })
  })
})

describe('what was claimed', () => {
  test('a claim that was given back is submitted under the same number, not before its time', () => {
    const runs = [{ state: 'released', attempt: 2, notBefore: someTime + 10_000 } as const]
    expect(turnOf({ runs, second: 9 })).toMatchObject({ actions: [], waitSeconds: 1 })
    expect(turnOf({ runs, second: 10 }).actions).toEqual(['submit batch 0.2'])
    expect(turnOf({ runs: [{ state: 'released' }] }).actions).toEqual(['submit batch 0.1'])
  })

  test('a claim without a handle is looked for after 15 s, and every 15 s from then on', () => {
    const runs = [{ state: 'submitting' } as const]
    expect(turnOf({ runs, second: 14 })).toMatchObject({ actions: [], waitSeconds: 1 })
    expect(turnOf({ runs, second: 15 })).toMatchObject({ actions: ['recover batch 0.1'], waitSeconds: 15 })
    expect(turnOf({ runs, second: 1000 })).toMatchObject({ actions: ['recover batch 0.1'], waitSeconds: 15 })
  })

  test('a job that its back end does not know is looked for by name after a settle time', () => {
    const runs = [{ missingSince: someTime }]
    expect(turnOf({ runs, second: 29 })).toMatchObject({ actions: [], waitSeconds: 1 })
    expect(turnOf({ runs, second: 30 }).actions).toEqual(['recover batch 0.1', 'poll batch 0.1'])
  })
})

describe('what runs', () => {
  test('is asked about every 30 s', () => {
    const scene = { tasks: [{}, {}], runs: [{}, { id: 1, state: 'queued' as const }] }
    expect(turnOf({ ...scene, second: 29 })).toMatchObject({ actions: [], changes: {}, waitSeconds: 1 })
    expect(turnOf({ ...scene, second: 30 })).toMatchObject({
      actions: ['poll batch 0.1 1.1'],
      changes: { polledAt: someTime + 30_000 },
      waitSeconds: 30,
    })
  })

  test('is asked about only where something runs', () => {
    expect(turnOf({ runs: [{ state: 'submitting' }], second: 100 }).changes).toEqual({})
  })

  test('is asked about at once, where it never was', () => {
    expect(turnOf({ runs: [{}], dispatch: { polledAt: 0 } }).actions).toEqual(['poll batch 0.1'])
    const { dispatch, graph } = { dispatch: aDispatch(), graph: aGraph() }
    const turn = planTurn({ dispatch, graph, live: [aRun()] }, defaultPolicy, someTime)
    expect(turn.actions.map(brief)).toEqual(['poll batch 0.1'])
  })

  test('is asked about every 5 s while a cancellation waits for it', () => {
    const scene = { runs: [{}], fences: [aFence()], dispatch: { killPass: { at: someTime, count: 5 } } }
    expect(turnOf({ ...scene, second: 4 }).actions).toEqual([])
    expect(turnOf({ ...scene, second: 5 }).actions).toEqual(['poll batch 0.1'])
  })
})

describe('behind a fence', () => {
  test('what has not started is cancelled at once, and what depends on it as well', () => {
    const tasks = [{}, { needs: [0] }, {}]
    const turn = turnOf({ tasks, fences: [aFence({ scope: aScope([0, 1], 3) })] })
    expect(turn).toMatchObject({
      outcomes: { 0: 'cancelled', 1: 'cancelled' },
      actions: ['submit batch 2.1'],
      changes: { fences: { 'fence-1': { abandoned: 2 } } },
    })
  })

  test('what depends on a cancelled task without being fenced is skipped', () => {
    const turn = turnOf({ tasks: [{}, { needs: [0] }], fences: [aFence({ scope: aScope([0], 2) })] })
    expect(turn.outcomes).toEqual({ 0: 'cancelled', 1: 'skipped' })
  })

  test('what runs is stopped, with a pass that is written down', () => {
    const turn = turnOf({ runs: [{}], fences: [aFence()] })
    expect(turn).toMatchObject({
      actions: ['cancel graceful batch 0.1'],
      changes: { killPass: { at: someTime, count: 1 } },
      waitSeconds: 5,
      outcomes: {},
    })
    const again = turnOf({
      runs: [{}],
      fences: [aFence()],
      dispatch: { killPass: { at: someTime, count: 1 } },
      second: 5,
    })
    expect(again.changes.killPass).toEqual({ at: someTime + 5000, count: 2 })
  })

  test('a claim without a handle is looked for at once, for its job may be there', () => {
    expect(turnOf({ runs: [{ state: 'submitting' }], fences: [aFence()] })).toMatchObject({
      actions: ['recover batch 0.1'],
      outcomes: {},
    })
  })

  test.each<[string, Partial<TaskRun>, Outcome]>([
    ['given back', { state: 'released' }, 'cancelled'],
    ['stopped', { state: 'cancelled' }, 'cancelled'],
    ['lost: nothing of it is left', { state: 'lost', attempt: 3 }, 'cancelled'],
    ['waiting for a retry', { state: 'failed', failure: retryable, endedAt: someTime }, 'cancelled'],
    ['failed for the last time before the kill', { state: 'failed' }, 'failed'],
    ['succeeded before the kill', { state: 'succeeded' }, 'succeeded'],
  ])('a live task that was %s', (_, run, outcome) => {
    const turn = turnOf({ runs: [run], fences: [aFence()] })
    expect(turn).toMatchObject({ outcomes: { 0: outcome }, clear: [0], actions: [], finished: true })
    expect(turn.changes.fences?.['fence-1']?.ended).toMatchObject({ batch: { [outcome]: 1 } })
  })
})

describe('how a dispatch ends', () => {
  const whole = [aFence()]
  const part = [aFence({ scope: aScope([1], 3) })]
  test.each<[string, Outcome[], Fence[], Dispatch['status']]>([
    ['all succeeded', ['succeeded', 'succeeded', 'succeeded'], [], 'succeeded'],
    ['one failed', ['succeeded', 'failed', 'skipped'], [], 'failed'],
    ['a part was cancelled', ['succeeded', 'cancelled', 'succeeded'], part, 'cancelled'],
    ['one failed and a part was cancelled', ['failed', 'cancelled', 'succeeded'], part, 'failed'],
    ['the whole was cancelled', ['succeeded', 'cancelled', 'cancelled'], whole, 'cancelled'],
    ['the whole was cancelled after one failed', ['failed', 'cancelled', 'skipped'], whole, 'cancelled'],
    ['the whole was cancelled, but every task succeeded', ['succeeded', 'succeeded', 'succeeded'], whole, 'succeeded'],
    ['a part was cancelled, but every task succeeded', ['succeeded', 'succeeded', 'succeeded'], part, 'succeeded'],
  ])('where %s', (_, outcomes, fences, status) => {
    const turn = turnOf({ tasks: [{}, {}, {}], outcomes: { ...outcomes }, fences, second: 7 })
    expect(turn).toMatchObject({ changes: { status, endedAt: someTime + 7000 }, actions: [], finished: true })
  })

  test('with the turn that settles its last task', () => {
    expect(turnOf({ runs: [{ state: 'succeeded' }] })).toMatchObject({
      changes: { status: 'succeeded', endedAt: someTime },
      finished: true,
    })
  })

  test('not while anything is open', () => {
    const turn = turnOf({ tasks: [{}, {}], outcomes: { 0: 'failed' }, runs: [{ id: 1 }] })
    expect(turn.changes).not.toHaveProperty('status')
    expect(turn.finished).toBe(false)
  })

  test('once: a turn after the end changes nothing, and clears what was left', () => {
    const ended = { status: 'failed', endedAt: someTime } as const
    expect(turnOf({ outcomes: { 0: 'succeeded' }, dispatch: ended, runs: [{}], second: 9 })).toEqual({
      changes: {},
      outcomes: {},
      clear: [0],
      actions: [],
      waitSeconds: 60,
      finished: true,
    })
  })
})

describe('the rest after a turn', () => {
  test('is a minute where nothing is due', () => {
    expect(turnOf({ runs: [{}], policy: { pollSeconds: 3600 } }).waitSeconds).toBe(60)
  })

  test('is at least a second, also where something is overdue', () => {
    expect(turnOf({ tasks: [{}, {}], policy: { submitsPerTurn: 1 }, second: 500 }).waitSeconds).toBe(1)
  })
})

const sizes = { submit: 3, poll: 5, cancel: 4 }
const tight = { ...defaultPolicy, submitsPerTurn: 5, chunks: { batch: sizes, ssh: sizes } }

const runStates: readonly RunState[] = [
  'submitting',
  'released',
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'lost',
]

/** A snapshot as a crash may have left it: live marks on what is settled, runs that nobody has looked at for long. */
function aRandomSnapshot(random: Random, count: number): Snapshot {
  const graph = aRandomGraph(random, count)
  const needs = effectiveNeeds(graph)
  const live: TaskRun[] = []
  const outcomes: Record<number, Outcome> = {}
  for (const id of topologicalOrder(needs)) {
    const mayStart = needs[id]?.every((need) => outcomes[need] === 'succeeded')
    if (random.chance(0.5))
      outcomes[id] = random.pick(
        mayStart ? ['succeeded', 'succeeded', 'failed', 'cancelled'] : ['cancelled', 'skipped'],
      )
    if (!mayStart || random.chance(0.5)) continue
    const time = () => someTime + random.below(120_000)
    live.push(
      aRun({
        id,
        state: random.pick(runStates),
        executor: graph.tasks[id]?.executor as string,
        attempt: 1 + random.below(4),
        claimedAt: time(),
        ...(random.chance(0.2) && { missingSince: time(), notBefore: time(), endedAt: time() }),
      }),
    )
  }
  const fences = Array.from({ length: random.below(3) }, (_, n) => {
    const ids = graph.tasks.map(({ id }) => id).filter(() => random.chance(0.3))
    const scope = random.chance(0.2) ? 'all' : aScope(ids, count)
    return aFence({
      id: `fence-${n}`,
      scope,
      at: someTime + random.below(60_000),
      mode: random.pick(['graceful', 'force']),
    })
  })
  return { dispatch: aDispatch({ taskCount: count, outcomes, fences, epoch: 7 }), graph, live }
}

test('whatever the snapshot, a turn starts only what may start, rewrites no outcome, and comes out the same again', () => {
  const scenario = fc.tuple(fc.noShrink(fc.nat()), fc.integer({ min: 1, max: 40 }), fc.nat(200))
  fc.assert(
    fc.property(scenario, ([seed, count, second]) => {
      const snapshot = aRandomSnapshot(createRandom(seed), count)
      const now = someTime + second * 1000
      const turn = planTurn(snapshot, tight, now)
      expect(planTurn(structuredClone(snapshot), tight, now)).toEqual(turn)
      expect(turn.waitSeconds).toBeGreaterThanOrEqual(1)
      expect(turn.waitSeconds).toBeLessThanOrEqual(60)
      for (const id of turn.outcomes.keys()) expect(outcomeOf(snapshot.dispatch, id)).toBeUndefined()
      for (const id of turn.clear) expect(turn.outcomes.has(id) || outcomeOf(snapshot.dispatch, id)).toBeTruthy()
      for (const action of turn.actions) checkAction(action, snapshot, turn.outcomes)
      for (const kind of ['submit', 'poll', 'recover', 'cancel']) {
        const ids = turn.actions
          .filter((one) => one.kind === kind)
          .flatMap(({ tasks }) => tasks.map((one) => one.taskId))
        expect(new Set(ids).size, `each task once in ${kind}`).toBe(ids.length)
      }
    }),
    { numRuns: 1000 },
  )
})

function checkAction(action: Action, { dispatch, graph, live }: Snapshot, outcomes: ReadonlyMap<number, Outcome>) {
  const { kind, executor, tasks } = action
  expect(action.epoch).toBe(7)
  expect(tasks.length).toBeLessThanOrEqual(sizes[kind === 'recover' ? 'submit' : kind])
  for (const { taskId, attempt } of tasks) {
    const task = graph.tasks[taskId] as Task
    const run = live.find(({ id }) => id === taskId)
    const isCovered = Object.values(dispatch.fences).some(
      ({ scope }) => scope === 'all' || (((scope[taskId >> 3] as number) >> (taskId & 7)) & 1) === 1,
    )
    expect(task.executor).toBe(executor)
    expect(outcomes.get(taskId) ?? outcomeOf(dispatch, taskId), `task ${taskId} is open`).toBeUndefined()
    if (kind === 'cancel') expect(isCovered).toBe(true)
    if (kind !== 'submit') expect(run?.attempt).toBe(attempt)
    else {
      expect(isCovered).toBe(false)
      if (run) expect(attempt).toBe(run.state === 'released' ? run.attempt : run.attempt + 1)
      else checkReady(task, graph, (id) => outcomes.get(id) ?? outcomeOf(dispatch, id))
    }
  }
}

function checkReady(task: Task, graph: Graph, stateOf: (id: number) => Outcome | undefined) {
  const others = task.postProcess ? graph.tasks.filter((one) => one !== task).map(({ id }) => id) : []
  for (const need of task.needs) expect(stateOf(need)).toBe('succeeded')
  for (const other of others) expect(stateOf(other), 'post-processing is last').toBe('succeeded')
}
