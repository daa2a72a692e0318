import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { submitClaimed } from '../../../lib/app/act/submit-claimed.ts'
import { startDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import { systemDeadline } from '../../../lib/app/system-deadline.ts'
import type { Executor, Handle } from '../../../lib/back-ends/executor.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aFence, aGraph, someTime } from '../../support/builders.ts'
import { patienceMs } from '../../support/patience.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** The submit of a claimed task, during which `meanwhile` happens; its handle says more than a search by name tells. */
async function aSlowSubmit({ adopts }: { adopts: boolean }) {
  const dispatchId = randomUUID()
  const { context, store } = anAppContext(dynamo)
  await startDispatch(context, aGraph([{ executor: 'batch' }]), { id: dispatchId, owner: 'ada', tags: {} })
  const attempt = { taskId: 0, attempt: 1 }
  const claim = { ...attempt, claimId: randomUUID(), executor: 'batch', at: someTime }
  await store.claim(dispatchId, claim)
  const cancelled: Handle[] = []
  const executor: Executor = {
    ...(context.executors.get('batch') as Executor),
    adopts,
    cancel: async (handles) => {
      cancelled.push(...handles)
      return handles.map(() => ({ outcome: 'accepted' }))
    },
  }
  const action = { kind: 'submit', executor: 'batch', epoch: 1, tasks: [attempt] } as const
  const job = { ...attempt, name: `quench-${dispatchId}-0-1`, dispatchId, options: {}, environment: {} }
  const submit = async (meanwhile: () => Promise<unknown>) => {
    const { submitted, twins } = await submitClaimed(
      context,
      { dispatchId, action, executor, deadline: systemDeadline(Date.now() + patienceMs) },
      [{ claim, job }],
      {
        submit: async () => {
          await meanwhile()
          return [{ id: 'a', pid: 7 }]
        },
      },
    )
    return { submitted: submitted.length, twins: twins.length, cancelled }
  }
  const find = () => store.storeHandle(dispatchId, attempt, { id: 'a' }, someTime)
  const giveUp = async () => {
    await store.noteRun(dispatchId, attempt, { state: 'lost', endedAt: someTime })
    await store.claim(dispatchId, { ...claim, attempt: 2, claimId: randomUUID() })
    await store.storeHandle(dispatchId, { taskId: 0, attempt: 2 }, { id: 'b' }, someTime)
  }
  return { submit, find, giveUp }
}

describe('a submit whose job was found by its name before it had its answer', () => {
  test('lets the job run where a name has one job at most: it is the same one, however its handles differ', async () => {
    const { submit, find } = await aSlowSubmit({ adopts: true })
    expect(await submit(find)).toEqual({ submitted: 1, twins: 0, cancelled: [] })
  })

  test('stops its own job where a name may have two: nobody would look after it', async () => {
    const { submit, find } = await aSlowSubmit({ adopts: false })
    expect(await submit(find)).toEqual({ submitted: 0, twins: 1, cancelled: [{ id: 'a', pid: 7 }] })
  })
})

test('a submit whose attempt was given up before it had its answer stops its job', async () => {
  const { submit, giveUp } = await aSlowSubmit({ adopts: true })
  expect(await submit(giveUp)).toEqual({ submitted: 0, twins: 1, cancelled: [{ id: 'a', pid: 7 }] })
})

test('a submit that nothing comes between stops nothing', async () => {
  const { submit } = await aSlowSubmit({ adopts: false })
  expect(await submit(async () => {})).toEqual({ submitted: 1, twins: 0, cancelled: [] })
})

test('a retry that is claimed again after it was given back, and then cancelled, keeps what came before it', async () => {
  const dispatchId = randomUUID()
  const { context, store } = anAppContext(dynamo)
  await startDispatch(context, aGraph([{ executor: 'batch' }]), { id: dispatchId, owner: 'ada', tags: {} })
  const claimOf = (attempt: number) => ({ taskId: 0, attempt, claimId: randomUUID(), executor: 'batch', at: someTime })
  const first = claimOf(1)
  await store.claim(dispatchId, first)
  await store.storeHandle(dispatchId, first, { id: 'a' }, someTime)
  await store.noteRun(dispatchId, first, { state: 'failed', endedAt: someTime })
  const earlierSpend = { batch: { usd: 1, unknownJobs: 0 } }
  const given = { ...claimOf(2), earlierSpend }
  await store.claim(dispatchId, given)
  await store.release(dispatchId, given, { drop: false })
  const claim = claimOf(2)
  await store.claim(dispatchId, claim)
  await store.writeFence(dispatchId, aFence(), { epoch: 1, isDrain: false })
  const ref = { taskId: 0, attempt: 2 }
  const action = { kind: 'submit', executor: 'batch', epoch: 1, tasks: [ref] } as const
  const job = { ...ref, name: `quench-${dispatchId}-0-2`, dispatchId, options: {}, environment: {} }
  const executor = context.executors.get('batch') as Executor
  const never = () => Promise.reject(new Error('nothing is to be submitted'))
  const work = { dispatchId, action, executor, deadline: systemDeadline(Date.now() + patienceMs) }
  const { released } = await submitClaimed(context, work, [{ claim, job }], { submit: never })
  expect(released).toHaveLength(1)
  expect(await store.readLive(dispatchId)).toMatchObject([{ state: 'released', attempt: 2, earlierSpend }])
})
