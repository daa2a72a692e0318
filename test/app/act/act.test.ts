import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { act } from '../../../lib/app/act/act.ts'
import { startDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import { BackendRejected, BackendUnavailable } from '../../../lib/domain/errors.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aGraph, someTime } from '../../support/builders.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** Act on the submit of the only task of a dispatch; Batch fails with `error`. */
async function submitWith(error: Error) {
  const dispatchId = randomUUID()
  const { context, store, asked } = anAppContext(dynamo)
  await startDispatch(context, aGraph([{ executor: 'batch' }]), { id: dispatchId, owner: 'ada', tags: {} })
  const batch: Executor = { ...(context.executors.get('batch') as Executor), submit: () => Promise.reject(error) }
  const tasks = [{ taskId: 0, attempt: 1 }]
  const action = { kind: 'submit', executor: 'batch', epoch: 1, tasks } as const
  const acted = act({ ...context, executors: new Map([['batch', batch]]) }, dispatchId, action)
  const thrown: unknown = await acted.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  const { items } = await store.listHistory(dispatchId, { limit: 10 })
  const [run] = await store.readLive(dispatchId)
  return {
    lines: items.flatMap((event) => event.lines).filter((line) => line.startsWith('task-0')),
    run,
    isWoken: asked.includes(`wake ${dispatchId}`),
    thrown,
  }
}

test('a refusal for good ends the attempt, and is told', async () => {
  const { lines, run, isWoken, thrown } = await submitWith(new BackendRejected('no such queue'))
  expect(lines).toEqual(['task-0: batch refused it: no such queue'])
  expect(run).toMatchObject({ state: 'failed', failure: { code: 'Rejected', retryable: false } })
  expect(isWoken).toBe(true)
  expect(thrown).toBeUndefined()
})

test('a back end that certainly took nothing gives the claim back, to be asked again after 10 s', async () => {
  const { lines, run } = await submitWith(new BackendUnavailable('throttled', { arrived: 'no' }))
  expect(lines).toEqual(['task-0: batch does not take it now, trying again: throttled'])
  expect(run).toMatchObject({ state: 'released', notBefore: someTime + 10_000 })
})

test('an answer that was lost leaves the claim as it is, for whoever looks for its job', async () => {
  const { lines, run } = await submitWith(new BackendUnavailable('time-out', { arrived: 'unknown' }))
  expect(lines).toEqual(['task-0: no answer from batch, looking for its job: time-out'])
  expect(run).toMatchObject({ state: 'submitting', attempt: 1 })
  expect(run).not.toHaveProperty('handle')
})

test('a defect is thrown, and leaves the claim as it is: a job may exist', async () => {
  const defect = new TypeError('there is no such field')
  const { lines, run, thrown } = await submitWith(defect)
  expect(thrown).toBe(defect)
  expect(lines).toEqual([])
  expect(run).toMatchObject({ state: 'submitting', attempt: 1 })
})

/** Act on the cancel of the only job of a dispatch. */
async function cancelWith(cancel: Executor['cancel'], { wasUnreachable = false } = {}) {
  const dispatchId = randomUUID()
  const { context, store } = anAppContext(dynamo)
  await startDispatch(context, aGraph([{ executor: 'batch' }]), { id: dispatchId, owner: 'ada', tags: {} })
  const attempt = { taskId: 0, attempt: 1 }
  await store.claim(dispatchId, { ...attempt, claimId: randomUUID(), executor: 'batch', at: someTime })
  await store.storeHandle(dispatchId, attempt, { id: 'job' }, someTime)
  if (wasUnreachable) await store.noteRun(dispatchId, attempt, { cancelError: 'down' })
  const batch: Executor = { ...(context.executors.get('batch') as Executor), cancel }
  const action = { kind: 'cancel', executor: 'batch', epoch: 1, tasks: [attempt], mode: 'force' } as const
  await act({ ...context, executors: new Map([['batch', batch]]) }, dispatchId, action)
  const { items } = await store.listHistory(dispatchId, { limit: 10 })
  const lines = items.flatMap((event) => event.lines).filter((line) => line.includes('asked batch'))
  return { lines, run: (await store.readLive(dispatchId))[0] }
}

test.each([
  ['of which the back end says so', async () => [{ outcome: 'failed' as const, message: 'down' }]],
  ['whose call does not go through', () => Promise.reject(new BackendUnavailable('down', { arrived: 'no' }))],
])('a job %s is shown as one that could not be asked to stop', async (_, cancel) => {
  const { lines, run } = await cancelWith(cancel)
  expect(lines).toEqual(['asked batch to stop 1 job (force), 1 of them could not be reached and will be asked again'])
  expect(run).toMatchObject({ state: 'queued', cancelError: 'down' })
})

test('a job that takes the order at last is shown so no more', async () => {
  const { lines, run } = await cancelWith(async () => [{ outcome: 'accepted' }], { wasUnreachable: true })
  expect(lines).toEqual(['asked batch to stop 1 job (force)'])
  expect(run).not.toHaveProperty('cancelError')
})

test('a defect in a cancel is thrown', async () => {
  await expect(cancelWith(() => Promise.reject(new TypeError('no such field')))).rejects.toThrow(TypeError)
})
