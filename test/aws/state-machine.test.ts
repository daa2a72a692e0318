import { readFile } from 'node:fs/promises'
import validate from 'asl-validator'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { historyEvents } from '../../cdk/dispatch-definition.ts'
import { actsPerTurn, handOverAtEvents } from '../../lib/aws/executions/take-turn.ts'
import type { Graph } from '../../lib/domain/graph/graph.ts'
import { outcomeOf } from '../../lib/domain/settled.ts'
import { type LocalDynamo, startLocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import type { Store } from '../../lib/store/store.ts'
import { type AwsWorldOptions, definition, openAwsWorld } from './aws-world.ts'
import { openLocalWorld } from './local-world.ts'
import type { Fate } from './pretend-batch.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  vi.useRealTimers()
})

const aTask = (name: string, needs: readonly string[] = [], rest: object = {}) => ({
  name,
  needs,
  executor: 'batch',
  options: { command: ['true'] },
  ...rest,
})
const diamond = { name: 'diamond', tasks: [aTask('a'), aTask('b', ['a']), aTask('c', ['a']), aTask('d', ['b', 'c'])] }
const single = { name: 'single', tasks: [aTask('only')] }
const runs = (seconds: number): Fate => ({ seconds })
const someSeconds = { '0-1': runs(3), '1-1': runs(4), '2-1': runs(2), '3-1': runs(3) }

/** How everything ended: what the two loops must agree on. */
async function ending(store: Store, dispatchId: string) {
  const dispatch = await store.readDispatch(dispatchId)
  const graph: Graph = await store.readGraph(dispatchId)
  const ended = new Map((await store.readAllRuns(dispatchId)).map((run) => [run.id, run]))
  if (!dispatch) throw new Error('there is no such dispatch')
  return {
    status: dispatch.status,
    epoch: dispatch.epoch,
    tasks: Object.fromEntries(
      graph.tasks.map(({ id, name }) => {
        const { attempt, failure, live, state } = ended.get(id) ?? {}
        return [name, { outcome: outcomeOf(dispatch, id), attempt, failure: failure?.code, live, state }]
      }),
    ),
  }
}

type Worldly = Pick<ReturnType<typeof openLocalWorld>, 'batch' | 'submit' | 'cancel' | 'store' | 'runUntil'>
type Act = (world: Worldly, dispatchId: string) => Promise<unknown>

/** Let a scenario happen under the loop in TypeScript, until the dispatch has ended. */
async function underTheLoop(graph: unknown, options: Scenario) {
  const world = openLocalWorld(dynamo, options)
  try {
    const id = await world.submit(graph)
    await options.act?.(world, id)
    await world.runUntil(async () => (await world.store.readDispatch(id))?.status !== 'running')
    const { batch, asked } = world
    return { ...(await ending(world.store, id)), ...called(batch), loops: once(asked) }
  } finally {
    await world.close()
  }
}

/** The same under the definition, with the real functions. */
async function underTheMachine(graph: unknown, options: Scenario) {
  const world = await openAwsWorld(dynamo, options)
  const id = await world.submit(graph)
  await options.act?.({ ...world, runUntil: world.clock.runUntil } as unknown as Worldly, id)
  await world.end(id)
  const loops = world.calls.flatMap(({ name, input }) => {
    const [, epoch, generation] = /-(\d+)-(\d+)$/.exec(String(input.name ?? input.executionArn)) ?? []
    // An epoch is stopped wherever it may be: in its newest generation and the next.
    if (name === 'StopExecution' && generation === '1') return [`stop ${epoch}`]
    return name === 'StartExecution' ? [`start ${epoch}`] : []
  })
  for (const { request, events } of world.turns) expect(events).toBeLessThanOrEqual(request.events + 8)
  return { ...(await ending(world.store, id)), ...called(world.batch), loops: once(loops) }
}

/** Jobs by task and attempt. */
function called({ submitted, terminated }: Worldly['batch']) {
  return { submitted: [...submitted].sort(), terminated: [...terminated].sort() }
}

/** Starting and stopping may be asked for by several, and is harmless. */
const once = (asked: readonly string[]) => [...new Set(asked)].sort()

interface Scenario extends Pick<AwsWorldOptions, 'isSilent'> {
  readonly fates: Record<string, Fate>
  readonly act?: Act
}

const isRunning = (world: Worldly, ref: string) => () =>
  world.batch.jobs.some((job) => job.ref === ref && job.status === 'RUNNING')

const scenarios: readonly [string, unknown, Scenario][] = [
  ['a graph that succeeds', diamond, { fates: someSeconds }],
  ['a task that fails, and what needs it', diamond, { fates: { ...someSeconds, '1-1': { seconds: 1, exitCode: 3 } } }],
  [
    'a task that is repeated since its host is gone',
    diamond,
    { fates: { ...someSeconds, '1-1': { seconds: 1, isHostLost: true }, '1-2': runs(1) } },
  ],
  [
    'a task that is repeated as its retry says, and then fails',
    { name: 'retry', tasks: [aTask('only', [], { retry: { attempts: 2 } })] },
    { fates: { '0-1': { seconds: 1, exitCode: 1 }, '0-2': { seconds: 1, exitCode: 1 } } },
  ],
  [
    'a task whose time is over, though Batch would let it run for a minute',
    { name: 'limited', tasks: [aTask('only', [], { timeoutSeconds: 2 }), aTask('then', ['only'])] },
    { fates: { '0-1': runs(3600) } },
  ],
  [
    'a dispatch whose time is over: it stops itself, and the drain ends it',
    { name: 'late', timeoutSeconds: 2, tasks: [aTask('only'), aTask('then', ['only'])] },
    { fates: { '0-1': runs(3600) } },
  ],
  [
    'a cancel of one task: the other branch runs on',
    { name: 'branches', tasks: [aTask('a'), aTask('b', ['a']), aTask('c'), aTask('d', ['c'])] },
    {
      fates: { '2-1': runs(60), '3-1': runs(2) },
      act: async (world, id) => {
        await world.runUntil(isRunning(world, '0-1'))
        await world.runUntil(isRunning(world, '2-1'))
        await world.cancel(id, { taskIds: [0] })
      },
    },
  ],
  [
    'a cancel of everything: the drain stops what runs, and what waits never starts',
    diamond,
    {
      fates: { '0-1': runs(1) },
      act: async (world, id) => {
        await world.runUntil(isRunning(world, '1-1'))
        await world.runUntil(isRunning(world, '2-1'))
        await world.cancel(id, {})
      },
    },
  ],
  [
    'a cancel that comes twice',
    diamond,
    {
      fates: {},
      act: async (world, id) => {
        await world.runUntil(isRunning(world, '0-1'))
        await world.cancel(id, { taskIds: [0] })
        await world.cancel(id, {})
      },
    },
  ],
  ['jobs that tell nothing: polling finds out', diamond, { fates: someSeconds, isSilent: true }],
  [
    'a cancel of jobs that tell nothing',
    diamond,
    {
      fates: {},
      isSilent: true,
      act: async (world, id) => {
        await world.runUntil(isRunning(world, '0-1'))
        await world.cancel(id, {})
      },
    },
  ],
]

describe('the state machine and the loop in TypeScript do the same with', () => {
  test.each(scenarios)('%s', async (_, graph, scenario) => {
    const expected = await underTheLoop(graph, scenario)
    expect(await underTheMachine(graph, scenario)).toEqual(expected)
  })
})

describe('the state machine', () => {
  test('rests as long as the turn says, when nothing happens', async () => {
    const world = await openAwsWorld(dynamo, { fates: { '0-1': runs(100) }, isSilent: true })
    const id = await world.submit(single)
    await world.end(id)
    const seconds = (world.clock.now() - 1_700_000_000_000) / 1000
    // A poll every 30 seconds; the one after the end finds it.
    expect(seconds).toBeGreaterThan(100)
    expect(seconds).toBeLessThan(140)
    expect(world.turns.length).toBeLessThan(12)
  })

  test('takes another turn at once when news came between the turn and the rest', async () => {
    let id = ''
    const world = await openAwsWorld(dynamo, {
      isSilent: true,
      before: async (name, payload) => {
        const { action } = payload as { action?: { kind: string } }
        // While something is done, nobody rests: the bell rings, and there is no token.
        if (name === 'act' && action?.kind === 'poll') await world.cancel(id, { taskIds: [0] })
      },
    })
    id = await world.submit(single)
    await world.end(id)
    const poll = world.turns.findIndex(({ answer }) => JSON.stringify(answer).includes('"poll"'))
    expect(world.turns[poll + 1]?.at).toBe(world.turns[poll]?.at)
    expect(await ending(world.store, id)).toMatchObject({ status: 'cancelled' })
  })

  test('is woken by a job event within the rest', async () => {
    const world = await openAwsWorld(dynamo, { fates: { '0-1': runs(7) } })
    const id = await world.submit(single)
    await world.end(id)
    // Started after one second, ended seven later, and not at the next poll.
    expect(world.clock.now() - 1_700_000_000_000).toBe(8_000)
    expect(world.calls.map(({ name }) => name)).toContain('SendTaskSuccess')
  })

  test('hands over to the next generation before its history is full, and loses nothing', async () => {
    const world = await openAwsWorld(dynamo, {
      fates: someSeconds,
      historySoFar: handOverAtEvents - 200,
    })
    const id = await world.submit(diamond)
    await world.end(id)
    expect(world.loops()).toEqual(['1-1 SUCCEEDED', '1-2 SUCCEEDED'])
    // As `launch` writes it: who resumes it meanwhile starts nothing new.
    const inputs = [...world.steps.executions.values()].map(({ input }) => input)
    expect(inputs).toEqual([1, 2].map((generation) => JSON.stringify({ dispatchId: id, epoch: 1, generation })))
    expect(await ending(world.store, id)).toMatchObject({ status: 'succeeded', epoch: 1 })
    expect(called(world.batch)).toEqual({ submitted: ['0-1', '1-1', '2-1', '3-1'], terminated: [] })
  })

  test('a cancel stops the generation that runs, and starts the drain as the first of its epoch', async () => {
    const world = await openAwsWorld(dynamo, { historySoFar: handOverAtEvents - 100 })
    const id = await world.submit(single)
    await world.clock.runUntil(() => world.loops().length === 2)
    await world.clock.runUntil(() => world.batch.jobs.some(({ status }) => status === 'RUNNING'))
    await world.cancel(id)
    await world.end(id)
    expect(world.loops()).toEqual(['1-1 SUCCEEDED', '1-2 ABORTED', '2-1 SUCCEEDED'])
    expect(await ending(world.store, id)).toMatchObject({ status: 'cancelled', epoch: 2 })
  })

  test('an act that fails costs its own work only: a later turn plans it again', async () => {
    let failures = 0
    const world = await openAwsWorld(dynamo, {
      fates: someSeconds,
      before: (name) => {
        if (name === 'act' && failures++ < 4) throw new Error('the function is broken')
      },
    })
    const id = await world.submit(diamond)
    await world.end(id)
    expect(await ending(world.store, id)).toMatchObject({ status: 'succeeded' })
    expect(world.loops()).toEqual(['1-1 SUCCEEDED'])
  })

  test('an act for which Lambda has no room is tried again at once', async () => {
    let failures = 0
    const world = await openAwsWorld(dynamo, {
      fates: { '0-1': runs(1) },
      before: (name) => {
        if (name !== 'act' || failures++ > 1) return
        throw Object.assign(new Error('Rate Exceeded.'), { name: 'Lambda.TooManyRequestsException' })
      },
    })
    const id = await world.submit(single)
    await world.end(id)
    expect(world.turns[0]?.answer).toMatchObject({ actions: [{ kind: 'submit' }] })
    expect(world.batch.submitted).toEqual(['0-1'])
    expect(world.clock.now() - 1_700_000_000_000).toBeLessThan(10_000)
  })

  test('a turn that keeps failing ends the execution, and the reaper starts the next one', async () => {
    let failures = 0
    const world = await openAwsWorld(dynamo, {
      fates: { '0-1': runs(1) },
      before: (name) => {
        if (name === 'turn' && world.turns.length === 2 && failures++ < 9) throw new Error('no database')
      },
    })
    const id = await world.submit(single)
    await world.end(id)
    expect(world.loops()).toEqual(['1-1 FAILED', '1-2 SUCCEEDED'])
    expect(await ending(world.store, id)).toMatchObject({ status: 'succeeded' })
  })

  test('an execution that someone stops in the console is a cancellation, with source console', async () => {
    const world = await openAwsWorld(dynamo)
    const id = await world.submit(diamond)
    await world.clock.runUntil(() => world.batch.jobs.some(({ status }) => status === 'RUNNING'))
    await world.clock.busy(() => world.steps.stop(`${id}-1-1`))
    await world.end(id)
    expect(world.loops()).toEqual(['1-1 ABORTED', '2-1 SUCCEEDED'])
    expect(called(world.batch)).toEqual({ submitted: ['0-1'], terminated: ['0-1'] })
    expect(await ending(world.store, id)).toMatchObject({ status: 'cancelled' })
    expect(await world.store.listCancellations(id)).toMatchObject([
      { source: 'console', actor: 'Step Functions console' },
    ])
  })

  test('a drain that someone stops in the console goes on: its work has to be done', async () => {
    const world = await openAwsWorld(dynamo)
    const id = await world.submit(single)
    await world.clock.runUntil(() => world.batch.jobs.some(({ status }) => status === 'RUNNING'))
    await world.cancel(id)
    await world.clock.busy(() => world.steps.stop(`${id}-2-1`))
    await world.end(id)
    expect(world.loops()).toEqual(['1-1 ABORTED', '2-1 ABORTED', '2-2 SUCCEEDED'])
    expect(await world.store.listCancellations(id)).toHaveLength(1)
    expect(await ending(world.store, id)).toMatchObject({ status: 'cancelled' })
  })
})

describe('the history', () => {
  test('has room for a whole turn, with as many acts as it may have, after the moment of the hand-over', () => {
    expect(handOverAtEvents + historyEvents.turn + historyEvents.act * actsPerTurn).toBeLessThan(25_000)
  })
})

describe('the definition', () => {
  test('is the one that is kept', async () => {
    // After a change that is meant, write what this test shows into the file, and format it.
    const kept = await readFile(new URL('dispatch.asl.json', import.meta.url), 'utf8')
    expect(definition).toEqual(JSON.parse(kept))
  })

  test('is valid Amazon States Language', () => {
    expect(validate(definition as never)).toMatchObject({ isValid: true, errors: [] })
  })
})
