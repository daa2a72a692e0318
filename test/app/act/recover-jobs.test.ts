import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { act } from '../../../lib/app/act/act.ts'
import { startDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { Executor, SoughtJob } from '../../../lib/back-ends/executor.ts'
import { BackendUnavailable } from '../../../lib/domain/errors.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aFence, aGraph, someTime } from '../../support/builders.ts'
import { createFakeBackend } from '../../support/fake-backend.ts'
import { createRandom } from '../../support/random.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const afterLease = someTime + defaultPolicy.leaseSeconds * 1000

/** A dispatch of tasks on a back end without faults, but for what a test changes about it. */
async function aDispatchOn(change: Partial<Executor>, count: number) {
  const dispatchId = randomUUID()
  const backend = createFakeBackend({
    name: 'ssh',
    adopts: true,
    forestalls: true,
    random: createRandom(0),
    faultProbability: () => 0,
    pass: (_, effect) => effect(),
    onSubmit: () => {},
    onCancel: () => {},
  })
  const { context, store } = anAppContext(dynamo)
  const executors = new Map([['ssh', { ...backend, ...change }]])
  await startDispatch(context, aGraph(Array(count).fill({ executor: 'ssh' })), {
    id: dispatchId,
    owner: 'ada',
    tags: {},
  })
  const tasks = Array.from({ length: count }, (_, taskId) => ({ taskId, attempt: 1 }))
  const actAt = (at: number, kind: 'submit' | 'recover') =>
    act({ ...context, executors, now: () => at }, dispatchId, { kind, executor: 'ssh', epoch: 1, tasks })
  const fence = () => store.writeFence(dispatchId, aFence(), { epoch: 1, isDrain: false })
  return { actAt, fence, readRun: async () => (await store.readRuns(dispatchId, [0]))[0] }
}

test('one search is made for all claims of an action, from where the last one came to once the leases are over', async () => {
  const asked: (readonly SoughtJob[])[] = []
  const searchedTo = someTime + 60_000
  const { actAt, readRun } = await aDispatchOn(
    {
      submit: () => Promise.reject(new BackendUnavailable('no answer', { arrived: 'unknown' })),
      find: async (jobs) => {
        asked.push(jobs)
        return jobs.map(() => ({ outcome: 'unknown', searchedTo }))
      },
    },
    3,
  )
  await actAt(someTime, 'submit')
  for (const at of [someTime + 20_000, afterLease, afterLease]) await actAt(at, 'recover')
  const allowance = 15 * 60_000
  const begun = asked.map((jobs) => jobs.map(({ madeBetween: [from] }) => from - someTime))
  const before = [-allowance, -allowance, -allowance]
  expect(begun).toEqual([before, before, [60_000, 60_000, 60_000]])
  expect(asked.map(([job]) => (job?.madeBetween[1] ?? 0) - someTime - allowance)).toEqual([20_000, 300_000, 300_000])
  expect(await readRun()).toMatchObject({ state: 'submitting', searchedTo })
})

test('a job whose handle was stored before the look for it is stopped, where its task is fenced', async () => {
  const stopped: number[] = []
  const { actAt, fence } = await aDispatchOn(
    {
      cancel: async (handles) => {
        stopped.push(handles.length)
        return handles.map(() => ({ outcome: 'accepted' }))
      },
    },
    2,
  )
  await actAt(someTime, 'submit')
  await actAt(someTime, 'recover')
  expect(stopped).toEqual([])
  await fence()
  await actAt(someTime, 'recover')
  expect(stopped).toEqual([2])
})
