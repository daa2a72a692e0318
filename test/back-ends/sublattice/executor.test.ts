import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createChildDispatches } from '../../../lib/app/submit/child-dispatches.ts'
import { submitDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { Executor, JobSpec } from '../../../lib/back-ends/executor.ts'
import { createSublatticeExecutor } from '../../../lib/back-ends/sublattice/executor.ts'
import { BackendRejected } from '../../../lib/domain/errors.ts'
import { jobName } from '../../../lib/domain/job-name.ts'
import type { JsonObject } from '../../../lib/domain/json.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { findJob } from '../../support/find-job.ts'

const caller = { id: 'someone', isAdmin: false }
const leaf = { name: 'leaf', tasks: [{ name: 'work', executor: 'batch' }] }
const cancel = { mode: 'force', reason: 'enough' } as const

let dynamo: LocalDynamo
let context: ReturnType<typeof anAppContext>['context']
let executor: Executor
let text = ''

beforeAll(async () => {
  dynamo = await startLocalDynamo()
  const made = anAppContext(dynamo)
  executor = createSublatticeExecutor({
    children: createChildDispatches(() => context),
    readText: async () => text,
  })
  context = { ...made.context, executors: new Map([...made.context.executors, ['sublattice', executor]]) }
})
afterAll(() => dynamo.close())

/** A job of a parent that is there. */
async function aJob(options: JsonObject = { graph: leaf }, parentId?: string): Promise<JobSpec> {
  const dispatchId = parentId ?? (await submitDispatch(context, caller, leaf, randomUUID())).dispatchId
  const ref = { dispatchId, taskId: 0, attempt: 1 }
  return { ...ref, name: jobName(ref), options, environment: { QUENCH_RESULT: 'file:///result' } }
}

const stateOf = async (handle: JsonObject) => (await executor.poll([handle]))[0]?.state

test('a child is made once, belongs to the owner of its parent, and is found by the name of its job', async () => {
  const job = await aJob()
  expect(await findJob(executor, job)).toBeUndefined()
  const handle = await executor.submit(job)
  expect(await executor.submit(job)).toEqual(handle)
  expect(await findJob(executor, job)).toEqual(handle)
  expect(executor.handleSchema.parse(JSON.parse(JSON.stringify(handle)))).toEqual(handle)
  const child = await context.store.readDispatch(String(handle.dispatchId))
  expect(child).toMatchObject({ owner: 'someone', parent: { dispatchId: job.dispatchId, depth: 1 } })
  expect(await stateOf(handle)).toBe('running')
})

test('a cancel fences the child, twice is once, and one after its end changes nothing', async () => {
  const handle = await executor.submit(await aJob())
  expect(await executor.cancel([handle], cancel)).toEqual([{ outcome: 'accepted' }])
  expect(await executor.cancel([handle], cancel)).toEqual([{ outcome: 'accepted' }])
  const child = await context.store.readDispatch(String(handle.dispatchId))
  expect(Object.values(child?.fences ?? {})).toMatchObject([{ scope: 'all', mode: 'force', reason: 'enough' }])
  const { version = 0 } = child ?? {}
  await context.store.commitTurn(String(handle.dispatchId), version, { status: 'cancelled', endedAt: 1 })
  expect(await executor.cancel([handle], cancel)).toEqual([{ outcome: 'ended' }])
  expect(await stateOf(handle)).toBe('cancelled')
})

test('a child that nobody made is lost, and unknown to a cancel', async () => {
  const handle = { dispatchId: randomUUID() }
  expect(await stateOf(handle)).toBe('lost')
  expect(await executor.cancel([handle], cancel)).toEqual([{ outcome: 'unknown' }])
})

test('a tombstone keeps a late child from being born', async () => {
  const job = await aJob()
  const handle = await executor.forestall?.(job)
  expect(await executor.submit(job)).toEqual(handle)
  expect(await stateOf(handle as JsonObject)).toBe('cancelled')
})

test('a graph made at run time is checked like any graph, and every problem is in the failure', async () => {
  const tasks = [
    { name: 'a', needs: ['b'], executor: 'batch' },
    { name: 'b', needs: ['a'], executor: 'nowhere' },
  ]
  text = JSON.stringify({ name: 'bad', tasks })
  const refused = await executor.submit(await aJob({ graphFrom: 'file:///made' })).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(BackendRejected)
  expect(String(refused)).toContain('tasks wait for each other: a needs b needs a')
  expect(String(refused)).toContain('"nowhere" is no executor')
})

test('a text that is no JSON fails the task and names the place', async () => {
  text = '{ "name": '
  const refused = await executor.submit(await aJob({ graphFrom: 'file:///made' })).catch((error: unknown) => error)
  expect(String(refused)).toContain('the graph at file:///made is not JSON: line 1')
})

test('dispatches are nested eight deep, and no deeper', async () => {
  let parentId: string | undefined
  for (let depth = 1; depth <= 8; depth++) {
    const handle = await executor.submit(await aJob({ graph: leaf }, parentId))
    parentId = String(handle.dispatchId)
  }
  await expect(executor.submit(await aJob({ graph: leaf }, parentId))).rejects.toThrow('at most 8 deep')
})

test('options are a graph or where to find one, and a graph in them is checked when its parent is', () => {
  const problems = (options: unknown) =>
    executor.optionsSchema.safeParse(options).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  expect(problems({})).toEqual([': give either graph or graphFrom'])
  expect(problems({ graph: leaf, graphFrom: 'x' })).toEqual([': give either graph or graphFrom'])
  expect(problems({ graph: { name: 'bad', tasks: [{ name: 'a', executor: 'nowhere' }] } })).toEqual([
    expect.stringContaining('graph.tasks[0].executor: "nowhere" is no executor'),
  ])
  expect(problems({ graph: leaf, other: 1 })).toBeDefined()
})
