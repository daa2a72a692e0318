import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Context } from '../../../lib/app/context.ts'
import { submitDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import { InvalidInput } from '../../../lib/domain/errors.ts'
import type { LocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { someTime } from '../../support/builders.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** A context whose Batch wants a command and gives one vCPU where none is asked for. */
function aContext() {
  const { context: base, store, asked } = anAppContext(dynamo)
  const batch: Executor = {
    ...(base.executors.get('batch') as Executor),
    optionsSchema: z.strictObject({ command: z.array(z.string()), vcpus: z.number().min(1).default(1) }),
  }
  const context: Context = { ...base, executors: new Map([...base.executors, ['batch', batch]]) }
  return { context, store, asked }
}

let callers = 0
const aCaller = () => ({ id: `caller-${++callers}`, isAdmin: false })
const task = { name: 'a', executor: 'batch', options: { command: ['true'] } }
const graph = { name: 'pi', tags: { project: 'h2' }, tasks: [task, { name: 'b', executor: 'ssh', needs: ['a'] }] }

test('a valid graph is stored with its defaults filled in, and its loop started', async () => {
  const { context, store, asked } = aContext()
  const caller = aCaller()
  const { dispatchId } = await submitDispatch(context, caller, graph)
  expect(await store.readDispatch(dispatchId)).toEqual({
    id: dispatchId,
    name: 'pi',
    executors: ['batch', 'ssh'],
    owner: caller.id,
    tags: { project: 'h2' },
    taskCount: 2,
    status: 'running',
    createdAt: someTime,
    settled: new Uint8Array(1),
    fences: {},
    epoch: 1,
    version: 1,
  })
  expect((await store.readGraph(dispatchId)).tasks).toEqual([
    { id: 0, name: 'a', needs: [], executor: 'batch', options: { command: ['true'], vcpus: 1 } },
    { id: 1, name: 'b', needs: [0], executor: 'ssh', options: {} },
  ])
  expect(asked).toEqual([`start ${dispatchId} 1`])
  expect((await store.listHistory(dispatchId, { limit: 5 })).items).toEqual([
    { at: someTime, lines: ['dispatch pi: 2 tasks'] },
  ])
})

describe('with an idempotency key', () => {
  test('the same graph sent again gives the dispatch that is there, and starts the loop it is at', async () => {
    const { context, store, asked } = aContext()
    const caller = aCaller()
    const { dispatchId } = await submitDispatch(context, caller, graph, 'key')
    await store.writeFence(
      dispatchId,
      { id: 'f', scope: 'all', mode: 'force', graceSeconds: 0, reason: '', at: 1, abandoned: 0, ended: {} },
      { epoch: 1, isDrain: true },
    )
    expect(await submitDispatch(context, caller, structuredClone(graph), 'key')).toEqual({ dispatchId })
    expect(asked).toEqual([`start ${dispatchId} 1`, `start ${dispatchId} 2`])
    expect((await store.listHistory(dispatchId, { limit: 5 })).items).toHaveLength(1)
    expect((await store.listByOwner(caller.id, { limit: 5 })).items).toHaveLength(1)
  })

  test('another caller, another graph or another key is another dispatch', async () => {
    const { context } = aContext()
    const [ada, bob] = [aCaller(), aCaller()]
    const made = [
      await submitDispatch(context, ada, graph, 'key'),
      await submitDispatch(context, bob, graph, 'key'),
      await submitDispatch(context, ada, { ...graph, name: 'tau' }, 'key'),
      await submitDispatch(context, ada, graph, 'another'),
      await submitDispatch(context, ada, graph),
      await submitDispatch(context, ada, graph),
    ]
    expect(new Set(made.map(({ dispatchId }) => dispatchId)).size).toBe(made.length)
  })
})

describe('an input is refused, with every problem and its path, and nothing is stored:', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['nothing', null, ['(the whole input)']],
    ['a text', 'pi', ['(the whole input)']],
    ['no task', { name: 'x', tasks: [] }, ['tasks']],
    ['tasks that are no list', { name: 'x', tasks: { length: 3 } }, ['tasks']],
    [
      'wrong types in many places',
      {
        name: 5,
        colour: 'red',
        tasks: [
          { ...task, needs: [1.5] },
          { name: '-', executor: 'batch', retry: { attempts: 0 } },
        ],
      },
      [
        '(the whole input)',
        'name',
        'tasks[0].needs[0]',
        'tasks[1].name',
        'tasks[1].options.command',
        'tasks[1].retry.attempts',
      ],
    ],
    [
      'a graph that does not hang together',
      {
        name: 'x',
        tasks: [
          { ...task, needs: ['b', 7] },
          { ...task, name: 'b', needs: ['a'], executor: 'dask' },
        ],
      },
      ['tasks[0].needs', 'tasks[0].needs[1]', 'tasks[1].executor'],
    ],
    [
      'options that their executors do not take',
      {
        name: 'x',
        tasks: [
          { ...task, options: { vcpus: 0 } },
          { name: 'b', executor: 'ssh', options: { x: 1 } },
        ],
      },
      ['tasks[0].options.command', 'tasks[0].options.vcpus', 'tasks[1].options'],
    ],
    ['10,001 tasks', { name: 'x', tasks: Array.from({ length: 10_001 }, () => ({})) }, ['tasks']],
  ])('%s', async (_, input, paths) => {
    const { context, store, asked } = aContext()
    const caller = aCaller()
    const error = await submitDispatch(context, caller, input, 'key').catch((thrown) => thrown)
    expect(error).toBeInstanceOf(InvalidInput)
    expect(error.details.map(({ path }: { path: string }) => path).sort()).toEqual(paths)
    expect(asked).toEqual([])
    expect(await store.listByOwner(caller.id, { limit: 1 })).toEqual({ items: [] })
  })

  test('and the message names the first problem and how many there are more', async () => {
    const input = { name: 'x', tasks: [{ ...task, needs: ['b', 'c'] }] }
    await expect(submitDispatch(aContext().context, aCaller(), input)).rejects.toThrow(
      'the graph is not valid: tasks[0].needs[0]: "b" names no task of this graph (and 1 more)',
    )
  })

  test('and a need that can be neither a name nor an id is told so', async () => {
    await expect(
      submitDispatch(aContext().context, aCaller(), { name: 'x', tasks: [{ ...task, needs: [1.5] }] }),
    ).rejects.toThrow('tasks[0].needs[0]: must be the name or the id of a task')
  })
})

describe('everything that is wrong is said at once', () => {
  const problemsOf = async (input: unknown) => {
    const { context } = aContext()
    const error = await submitDispatch(context, aCaller(), input).catch((thrown: unknown) => thrown)
    if (!(error instanceof InvalidInput)) throw error
    return error.details.map(({ path, message }) => `${path}: ${message}`)
  }

  test('what is misshapen, and what does not fit together', async () => {
    const problems = await problemsOf({
      name: 'wrong',
      tasks: [
        { name: 'a', executor: 'batch', options: {}, needs: ['b'], retries: 3 },
        { name: 'b', executor: 'batch', options: { command: ['true'] }, needs: ['a', 'nobody'] },
        { name: 'c d', executor: 'bath', options: { command: ['true'] } },
        { name: 'e', executor: 'ssh', needs: ['c d', 7, {}], timeoutSeconds: 'soon' },
        'f',
      ],
    })
    expect(problems.sort()).toEqual([
      'tasks[0].needs: tasks wait for each other: a needs b needs a',
      expect.stringMatching(/^tasks\[0\]\.options\.command: /),
      expect.stringMatching(/^tasks\[0\]: Unrecognized key/),
      'tasks[1].needs[1]: "nobody" names no task of this graph',
      'tasks[2].executor: "bath" is no executor; there are: batch, ssh',
      expect.stringMatching(/^tasks\[2\]\.name: must begin with/),
      'tasks[3].needs[1]: there is no task 7: ids run from 0 to 4',
      'tasks[3].needs[2]: must be the name or the id of a task',
      expect.stringMatching(/^tasks\[3\]\.timeoutSeconds: /),
      expect.stringMatching(/^tasks\[4\]: Invalid input: expected object/),
    ])
  })

  test.each([
    ['no object', 'graph', ['(the whole input): ']],
    ['no list of tasks', { name: 'x', tasks: 'none' }, ['tasks: ']],
    ['no tasks', { name: 'x', tasks: [] }, ['tasks: ']],
    [
      'two without a name',
      { name: 'x', tasks: [{ executor: 'ssh' }, { executor: 'ssh' }] },
      ['tasks[0].name: ', 'tasks[1].name: '],
    ],
    [
      'options that are none',
      { name: 'x', tasks: [{ name: 'a', executor: 'batch', options: 3 }] },
      ['tasks[0].options: '],
    ],
  ])('%s is one problem a place, and nothing is said that comes of it', async (_, input, places) => {
    const problems = await problemsOf(input)
    expect(problems.map((one) => one.slice(0, one.indexOf(': ') + 2))).toEqual(places)
  })
})
