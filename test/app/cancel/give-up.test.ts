import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { act } from '../../../lib/app/act/act.ts'
import { createApi } from '../../../lib/app/create-api.ts'
import { startDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import { BackendUnavailable, Conflict, InvalidInput, NotFound } from '../../../lib/domain/errors.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aGraph, someTime } from '../../support/builders.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const ada = { id: 'ada', isAdmin: false }
const whole = { reason: 'too slow', mode: 'force', graceSeconds: 0, dryRun: false } as const
const page = { limit: 10 }
const overdue = 901

/** A dispatch of two jobs on a host that is away, cancelled at once. */
async function aDispatchOnAnAbsentHost({ isCancelled = true } = {}) {
  const dispatchId = randomUUID()
  const base = anAppContext(dynamo)
  const absent = new BackendUnavailable('i-1 is not connected', { arrived: 'no' })
  const asked: string[] = []
  const ssh: Executor = {
    ...(base.context.executors.get('ssh') as Executor),
    poll: () => Promise.reject(absent),
    cancel: (_, { mode, reason }) => {
      asked.push(`${mode} ${reason}`)
      return Promise.reject(absent)
    },
  }
  let now = someTime
  const context = { ...base.context, executors: new Map([['ssh', ssh]]), now: () => now }
  const graph = aGraph([
    { executor: 'ssh', timeoutSeconds: 60 },
    { executor: 'ssh', timeoutSeconds: 60 },
  ])
  await startDispatch(context, graph, { id: dispatchId, owner: 'ada', tags: {} })
  const tasks = [0, 1].map((taskId) => ({ taskId, attempt: 1 }))
  await act(context, dispatchId, { kind: 'submit', executor: 'ssh', epoch: 1, tasks })
  const api = createApi(context)
  const { cancellationId = '' } = isCancelled ? await api.cancelDispatch(ada, dispatchId, whole) : {}
  const timeOut = () =>
    act(context, dispatchId, { kind: 'cancel', executor: 'ssh', epoch: 1, tasks, isTimeLimit: true, mode: 'force' })
  const after = (seconds: number) => {
    now = someTime + seconds * 1000
  }
  const states = async () => (await api.listTasks(ada, dispatchId, page)).items.map(({ state }) => state)
  return { dispatchId, api, after, asked, states, cancellationId, timeOut }
}

test('an unconfirmed task is given up by its owner: cancelled, lost, and on record', async () => {
  const { dispatchId, api, after, asked, states, cancellationId } = await aDispatchOnAnAbsentHost()
  after(overdue)
  expect(await states()).toEqual(['unconfirmed', 'unconfirmed'])
  const answer = await api.giveUp(ada, dispatchId, { taskIds: [0], reason: 'the lab burned down' })
  expect(answer).toEqual({
    dispatchId,
    tasks: [{ taskId: 0, name: 'task-0', executor: 'ssh', attempt: 1, handle: expect.anything() }],
  })
  expect(asked.at(-1)).toBe('force the lab burned down')
  const { items } = await api.listTasks(ada, dispatchId, page)
  expect(items.map(({ state, lost }) => [state, lost])).toEqual([
    ['cancelled', true],
    ['unconfirmed', undefined],
  ])
  const givenUp = {
    taskIds: [0],
    actor: 'ada',
    reason: 'the lab burned down',
    at: new Date(someTime + overdue * 1000).toISOString(),
  }
  const cancellation = await api.describeCancellation(ada, dispatchId, cancellationId)
  expect(cancellation).toMatchObject({ state: 'unconfirmed', givenUp: [givenUp] })
  const lines = (await api.listEvents(ada, dispatchId, { limit: 100 })).items.flatMap((event) => event.lines)
  expect(lines).toContain('ada gives up 1 jobs: the lab burned down')
  expect(lines.some((line) => line.startsWith('task-0: ada does not wait for the end of attempt 1 on ssh'))).toBe(true)

  await api.giveUp(ada, dispatchId, { reason: 'the rest too' })
  expect(await api.describeDispatch(ada, dispatchId)).toMatchObject({ state: 'cancelled', tasks: { cancelled: 2 } })
  expect(await api.describeCancellation(ada, dispatchId, cancellationId)).toMatchObject({
    state: 'unconfirmed',
    backends: { ssh: { unconfirmed: 2, cancelled: 0 } },
    givenUp: [givenUp, { taskIds: [1], reason: 'the rest too' }],
  })
})

test('a task is not given up before it is unconfirmed, nor by others', async () => {
  const { dispatchId, api, after, states } = await aDispatchOnAnAbsentHost()
  await expect(api.giveUp(ada, dispatchId, { reason: 'now' })).rejects.toThrow(/no job of dispatch .* is unconfirmed/)
  await expect(api.giveUp(ada, dispatchId, { reason: 'now' })).rejects.toBeInstanceOf(Conflict)
  await expect(api.giveUp(ada, dispatchId, { taskIds: [1], reason: 'now' })).rejects.toThrow(
    'task "task-1" (1) is not unconfirmed',
  )
  after(overdue)
  await expect(api.giveUp(ada, dispatchId, { taskIds: [7], reason: 'now' })).rejects.toBeInstanceOf(InvalidInput)
  await expect(api.giveUp({ id: 'eve', isAdmin: false }, dispatchId, { reason: 'now' })).rejects.toBeInstanceOf(
    NotFound,
  )
  expect(await states()).toEqual(['unconfirmed', 'unconfirmed'])
  await api.giveUp({ id: 'root', isAdmin: true }, dispatchId, { reason: 'by an admin' })
  expect(await states()).toEqual(['cancelled', 'cancelled'])
})

test('a task whose time was over while its host was away has timed out when it is given up', async () => {
  const { dispatchId, api, after, timeOut } = await aDispatchOnAnAbsentHost({ isCancelled: false })
  after(61)
  await timeOut()
  after(61 + overdue)
  await api.giveUp(ada, dispatchId, { reason: 'the lab burned down' })
  const { items } = await api.listTasks(ada, dispatchId, page)
  expect(items).toMatchObject([
    { state: 'failed', failure: { code: 'TimedOut' } },
    { state: 'failed', failure: { code: 'TimedOut' } },
  ])
})
