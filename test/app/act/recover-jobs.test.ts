import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { act } from '../../../lib/app/act/act.ts'
import { startDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import { BackendUnavailable } from '../../../lib/domain/errors.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aGraph, someTime } from '../../support/builders.ts'
import { createFakeBackend } from '../../support/fake-backend.ts'
import { createRandom } from '../../support/random.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const afterLease = someTime + defaultPolicy.leaseSeconds * 1000
const tasks = [{ taskId: 0, attempt: 1 }]

/** A dispatch of one task on a back end without faults, but for what a test changes about it. */
async function aDispatchOn(change: (backend: Executor) => Partial<Executor> = () => ({})) {
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
  const executors = new Map([['ssh', { ...backend, ...change(backend) }]])
  await startDispatch(context, aGraph([{ executor: 'ssh' }]), { id: dispatchId, owner: 'ada', tags: {} })
  const actAt = (at: number, kind: 'submit' | 'recover') =>
    act({ ...context, executors, now: () => at }, dispatchId, { kind, executor: 'ssh', epoch: 1, tasks })
  return { backend, actAt, readRun: async () => (await store.readRuns(dispatchId, [0]))[0] }
}

test('a submit that outlives its lease starts nothing, where its back end can keep a name from starting', async () => {
  const { promise: arrival, resolve: arrive } = Promise.withResolvers<void>()
  const { backend, actAt, readRun } = await aDispatchOn(({ submit }) => ({
    submit: async (job) => {
      await arrival
      return submit(job)
    },
  }))
  const late = actAt(someTime, 'submit')
  while ((await readRun()) === undefined) await new Promise(setImmediate)
  await actAt(afterLease, 'recover')
  expect(await readRun()).toMatchObject({ state: 'lost', failure: { code: 'Lost', retryable: true } })
  arrive()
  await late
  expect(backend.jobs.map(({ state }) => state)).toEqual(['cancelled'])
})

test('a claim is not given up while its name cannot be kept from starting', async () => {
  const unreachable = new BackendUnavailable('the host is away', { arrived: 'unknown' })
  const { actAt, readRun } = await aDispatchOn(() => ({
    submit: () => Promise.reject(unreachable),
    forestall: () => Promise.reject(unreachable),
  }))
  await actAt(someTime, 'submit')
  await actAt(afterLease, 'recover')
  expect(await readRun()).toMatchObject({ state: 'submitting', attempt: 1 })
})
