import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { act } from '../../../lib/app/act/act.ts'
import { cancelDispatch } from '../../../lib/app/cancel/cancel-dispatch.ts'
import { runTurn } from '../../../lib/app/run-turn.ts'
import { submitDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import { Conflict, InvalidInput, NotFound } from '../../../lib/domain/errors.ts'
import type { Action } from '../../../lib/domain/turn/action.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { someTime } from '../../support/builders.ts'
import type { FakeBackend, FakeJob } from '../../support/fake-backend.ts'
import { createLenientApi } from '../../support/lenient-api.ts'

const ada = { id: 'ada', isAdmin: false }
const bob = { id: 'bob', isAdmin: false }
const order = { reason: 'enough', mode: 'graceful', graceSeconds: 30, dryRun: false } as const
const aTask = (name: string, needs: readonly string[] = []) => ({ name, executor: 'batch', needs })

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

let now: number
beforeEach(() => {
  now = someTime
})

/** A dispatch, and a loop of it that takes a turn when a test says so. */
async function aDriven(tasks: readonly object[]) {
  const { context: base, store, asked } = anAppContext(dynamo)
  const context = { ...base, now: () => now }
  const api = createLenientApi(context)
  const { dispatchId } = await submitDispatch(context, ada, { name: 'g', tasks })
  const jobs = () => (context.executors.get('batch') as FakeBackend).jobs
  const jobOf = (taskId: number, attempt = 1) => {
    const job = jobs().find((one) => one.taskId === taskId && one.attempt === attempt)
    if (!job) throw new Error(`there is no job of task ${taskId}, attempt ${attempt}`)
    return job
  }
  /** A turn, half a minute later, and its actions. */
  const turn = async (): Promise<readonly Action[]> => {
    now += 31_000
    const { epoch } = (await store.readDispatch(dispatchId)) ?? { epoch: 0 }
    const { actions } = await runTurn(context, dispatchId, epoch)
    for (const action of actions) await act(context, dispatchId, action)
    return actions
  }
  const turns = async (count: number) => {
    for (let n = 0; n < count; n++) await turn()
  }
  const end = async (taskId: number, state: 'succeeded' | 'failed' | 'cancelled', attempt = 1) => {
    const failure = { code: 'ExitCode', retryable: false }
    Object.assign(jobOf(taskId, attempt), { state, ...(state === 'failed' && { failure }) })
    await turns(3)
  }
  const states = async () =>
    Object.fromEntries(
      (await api.listTasks(ada, dispatchId, { limit: 100 })).items.map((task) => [task.name, task.state]),
    )
  const history = async () => (await store.listHistory(dispatchId, { limit: 200 })).items.flatMap(({ lines }) => lines)
  const read = async () => {
    const dispatch = await store.readDispatch(dispatchId)
    if (!dispatch) throw new Error('it is gone')
    return dispatch
  }
  await turn()
  return { context, store, asked, api, dispatchId, jobs, jobOf, turn, turns, end, states, history, read }
}

/** first succeeded, second failed, third skipped. */
async function aFailed() {
  const driven = await aDriven([aTask('first'), aTask('second', ['first']), aTask('third', ['second'])])
  await driven.end(0, 'succeeded')
  await driven.end(1, 'failed')
  expect((await driven.read()).status).toBe('failed')
  return driven
}

describe('a redrive', () => {
  test('reopens what did not succeed, keeps what did, and starts a loop of a new epoch', async () => {
    const { api, dispatchId, asked, read, states, end, turn, history, jobOf, store } = await aFailed()
    const answer = await api.redriveDispatch(ada, dispatchId, {})
    expect(answer).toEqual({ dispatchId, dryRun: false, reopened: 2, counts: { failed: 1, cancelled: 0, skipped: 1 } })
    expect(asked.at(-1)).toBe(`start ${dispatchId} 2`)
    expect(await read()).toMatchObject({ status: 'running', epoch: 2, redrives: 1, drivenAt: now, fences: {} })
    expect(await read()).not.toHaveProperty('endedAt')
    expect(await store.listOpen()).toContain(dispatchId)
    expect(await states()).toEqual({ first: 'succeeded', second: 'pending', third: 'pending' })
    await turn()
    expect(jobOf(1, 2).name).toBe(`quench-${dispatchId}-1-2`)
    await end(1, 'succeeded', 2)
    await end(2, 'succeeded')
    expect(await states()).toEqual({ first: 'succeeded', second: 'succeeded', third: 'succeeded' })
    expect((await read()).status).toBe('succeeded')
    expect(await history()).toContain('ada redrives 2 tasks (1 failed, 0 cancelled, 1 skipped): second, third')
    expect(await api.describeDispatch(ada, dispatchId)).toMatchObject({ redrives: 1, state: 'succeeded' })
  })

  test('shows a reopened task as pending, under the number of its last attempt and without what that left', async () => {
    const { api, dispatchId } = await aFailed()
    await api.redriveDispatch(ada, dispatchId, {})
    const { items } = await api.listTasks(ada, dispatchId, { limit: 9 })
    expect(items[1]).toEqual({ taskId: 1, name: 'second', executor: 'batch', needs: [0], state: 'pending', attempt: 1 })
    expect((await api.describeDispatch(ada, dispatchId)).tasks).toEqual({ succeeded: 1, pending: 2 })
  })

  test('counts retries anew', async () => {
    const driven = await aDriven([{ ...aTask('only'), retry: { attempts: 2 } }])
    for (const attempt of [1, 2]) await driven.end(0, 'failed', attempt)
    expect((await driven.read()).status).toBe('failed')
    await driven.api.redriveDispatch(ada, driven.dispatchId, {})
    await driven.turn()
    for (const attempt of [3, 4]) await driven.end(0, 'failed', attempt)
    expect((await driven.read()).status).toBe('failed')
    expect(driven.jobs().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4])
  })

  test('can be repeated as often as wanted, with attempts that go on', async () => {
    const { api, dispatchId, turn, end, read, jobs } = await aDriven([aTask('only')])
    await end(0, 'failed')
    for (const attempt of [2, 3, 4]) {
      await api.redriveDispatch(ada, dispatchId, {})
      await turn()
      await end(0, 'failed', attempt)
    }
    expect(await read()).toMatchObject({ status: 'failed', redrives: 3, epoch: 4 })
    expect(jobs().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4])
  })

  test('asked again with its key gives the same answer, also when all is over, and redrives once', async () => {
    const { api, dispatchId, turn, end, read } = await aFailed()
    const first = await api.redriveDispatch(ada, dispatchId, {}, 'key')
    await turn()
    expect(await api.redriveDispatch(ada, dispatchId, {}, 'key')).toEqual(first)
    await end(1, 'failed', 2)
    expect(await api.redriveDispatch(ada, dispatchId, {}, 'key')).toEqual(first)
    expect(await read()).toMatchObject({ redrives: 1, status: 'failed' })
    expect((await api.redriveDispatch(ada, dispatchId, {}, 'other')).reopened).toBe(2)
  })

  test('with the same key and for other tasks is another request', async () => {
    const { context, api, dispatchId, end, turns, read } = await aDriven([aTask('a'), aTask('b')])
    for (const id of [0, 1]) await end(id, 'failed')
    expect(await read()).toMatchObject({ status: 'failed' })
    expect((await api.redriveDispatch(ada, dispatchId, { taskIds: [0] }, 'key')).reopened).toBe(1)
    await turns(2)
    await end(0, 'failed', 2)
    expect((await api.redriveDispatch(ada, dispatchId, { taskIds: [1] }, 'key')).reopened).toBe(1)
    expect(await context.store.readDispatch(dispatchId)).toMatchObject({ redrives: 2 })
  })

  test('of a dispatch in which everything succeeded changes nothing, and says so', async () => {
    const { api, dispatchId, end, read, asked } = await aDriven([aTask('only')])
    await end(0, 'succeeded')
    const before = await read()
    const starts = asked.length
    expect(await api.redriveDispatch(ada, dispatchId, {})).toMatchObject({ reopened: 0 })
    expect(await read()).toEqual(before)
    expect(asked).toHaveLength(starts)
  })

  test('as a dry run says what would be reopened and changes nothing', async () => {
    const { api, dispatchId, read } = await aFailed()
    const before = await read()
    expect(await api.redriveDispatch(ada, dispatchId, { dryRun: true }, 'key')).toEqual({
      dispatchId,
      dryRun: true,
      reopened: 2,
      counts: { failed: 1, cancelled: 0, skipped: 1 },
      unconfirmed: 0,
      tasks: [
        { taskId: 1, name: 'second', state: 'failed' },
        { taskId: 2, name: 'third', state: 'skipped' },
      ],
    })
    expect(await read()).toEqual(before)
    expect((await api.redriveDispatch(ada, dispatchId, {}, 'key')).dryRun).toBe(false)
  })

  test("is for the owner: another's dispatch is not found", async () => {
    const { api, dispatchId } = await aFailed()
    await expect(api.redriveDispatch(bob, dispatchId, {})).rejects.toThrow(NotFound)
  })

  test('of tasks that cannot be redriven is refused with every reason, and changes nothing', async () => {
    const { api, dispatchId, read } = await aFailed()
    const before = await read()
    const refused = await api.redriveDispatch(ada, dispatchId, { taskIds: [0, 2] }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InvalidInput)
    expect((refused as InvalidInput).details.map(({ message }) => message)).toEqual([
      'task "first" (0) has succeeded, and its result is kept',
      'task "third" (2) needs "second" (1), which is failed: name that too',
    ])
    await expect(api.redriveDispatch(ada, dispatchId, { taskIds: [7] })).rejects.toThrow('no such task')
    expect(await read()).toEqual(before)
  })

  test('of one task leaves others as they are', async () => {
    const { api, dispatchId, end, states, turn } = await aDriven([aTask('a'), aTask('b'), aTask('c', ['a'])])
    await end(0, 'failed')
    await end(1, 'failed')
    expect((await api.redriveDispatch(ada, dispatchId, { taskIds: [0] })).reopened).toBe(2)
    await turn()
    await end(0, 'succeeded', 2)
    await end(2, 'succeeded')
    expect(await states()).toEqual({ a: 'succeeded', b: 'failed', c: 'succeeded' })
  })

  test('is not made of one more drive than attempts have numbers for', async () => {
    const { api, dispatchId, read, store } = await aFailed()
    const { version, settled } = await read()
    const last = { settled, redrives: 98, redriveKey: 'last', reopened: { failed: 0, cancelled: 0, skipped: 0 } }
    await store.redrive(dispatchId, version, { ...last, drivenAt: now })
    await expect(api.redriveDispatch(ada, dispatchId, {})).rejects.toThrow('redriven 98 times')
  })
})

describe('a submit that comes late', () => {
  test('for a task that its drive has settled already does nothing', async () => {
    const { context, api, dispatchId, turn, end, jobs } = await aDriven([aTask('a'), aTask('b')])
    await end(0, 'failed')
    await api.redriveDispatch(ada, dispatchId, {})
    const late = (await turn()).find(({ kind }) => kind === 'submit')
    await end(0, 'failed', 2)
    expect(late).toMatchObject({ redrives: 1, tasks: [{ taskId: 0, attempt: 1 }] })
    if (late) await act(context, dispatchId, late)
    expect(jobs().map(({ taskId, attempt }) => `${taskId}-${attempt}`)).toEqual(['0-1', '1-1', '0-2'])
  })

  test('for a first attempt that its drive has settled already does nothing either', async () => {
    const { context, api, dispatchId, turn, end, jobs } = await aDriven([aTask('a'), aTask('b', ['a']), aTask('c')])
    await end(0, 'failed')
    await api.redriveDispatch(ada, dispatchId, {})
    await turn()
    Object.assign(jobs().at(-1) as FakeJob, { state: 'succeeded' })
    await turn()
    const late = (await turn()).find(({ kind }) => kind === 'submit')
    await end(1, 'failed')
    expect(late).toMatchObject({ redrives: 1, tasks: [{ taskId: 1, attempt: 1 }] })
    if (late) await act(context, dispatchId, late)
    expect(jobs().filter(({ taskId }) => taskId === 1)).toHaveLength(1)
  })
})

describe('while a dispatch runs', () => {
  test('tasks that were cancelled and confirmed are redriven beside those that run', async () => {
    const { context, api, dispatchId, jobOf, end, states, turns, read } = await aDriven([aTask('a'), aTask('b')])
    await cancelDispatch(
      context,
      ada,
      dispatchId,
      { ...order, taskIds: [0] },
      { source: 'api', idempotencyKey: 'part' },
    )
    await end(0, 'cancelled')
    expect(await states()).toEqual({ a: 'cancelled', b: 'queued' })
    jobOf(1).state = 'running'
    expect((await api.redriveDispatch(ada, dispatchId, {})).counts).toEqual({ failed: 0, cancelled: 1, skipped: 0 })
    expect(await read()).toMatchObject({ fences: {}, epoch: 2 })
    await turns(2)
    await end(0, 'succeeded', 2)
    await end(1, 'succeeded')
    expect((await read()).status).toBe('succeeded')
    const [record] = await context.store.listCancellations(dispatchId)
    expect(record?.final).toEqual({ abandoned: 0, ended: { batch: { cancelled: 1, succeeded: 0, failed: 0 } } })
  })

  test('a cancellation that is not confirmed refuses it, and says what may still run', async () => {
    const { context, api, dispatchId, read } = await aDriven([aTask('a'), aTask('b')])
    await cancelDispatch(context, ada, dispatchId, order, { source: 'api' })
    const before = await read()
    await expect(api.redriveDispatch(ada, dispatchId, {})).rejects.toThrow(Conflict)
    await expect(api.redriveDispatch(ada, dispatchId, { dryRun: true })).rejects.toThrow(
      'jobs that may still run: batch 2',
    )
    expect(await read()).toEqual(before)
  })
})

describe('by force', () => {
  /** b runs, a was asked to stop and does not. */
  async function aStubborn() {
    const driven = await aDriven([aTask('a'), aTask('b'), aTask('c', ['a'])])
    const { context, dispatchId } = driven
    await cancelDispatch(
      context,
      ada,
      dispatchId,
      { ...order, taskIds: [0] },
      { source: 'api', idempotencyKey: 'part' },
    )
    await driven.turns(2)
    return driven
  }

  test('a redrive does not wait for a job that may still run: it is stopped once more, named, and left', async () => {
    const { api, context, dispatchId, jobOf, jobs, turn, end, history, states, read } = await aStubborn()
    expect(await api.redriveDispatch(ada, dispatchId, { dryRun: true, force: true })).toMatchObject({
      reopened: 2,
      unconfirmed: 1,
      counts: { failed: 0, cancelled: 2, skipped: 0 },
    })
    jobOf(0).isAskedToStop = false
    Object.assign(jobOf(0), { isStubborn: true })
    const answer = await api.redriveDispatch(ada, dispatchId, { force: true })
    expect(answer.counts).toEqual({ failed: 0, cancelled: 2, skipped: 0 })
    expect(jobOf(0).isAskedToStop, 'only force stops it').toBe(true)
    expect(await history()).toContain(
      `a: ada does not wait for the end of attempt 1 on batch, which may still run: ${JSON.stringify({ id: jobOf(0).id })}`,
    )
    const [record] = await context.store.listCancellations(dispatchId)
    const view = await api.describeCancellation(ada, dispatchId, record?.id ?? '')
    expect(view).toMatchObject({
      state: 'unconfirmed',
      abandoned: 1,
      backends: { batch: { requested: 1, confirmed: 0, unconfirmed: 1, cancelled: 0 } },
    })
    await turn()
    expect(jobs().map(({ taskId, attempt }) => `${taskId}-${attempt}`)).toEqual(['0-1', '1-1', '0-2'])
    await end(0, 'succeeded', 2)
    await end(1, 'succeeded')
    await end(2, 'succeeded')
    expect(await states()).toEqual({ a: 'succeeded', b: 'succeeded', c: 'succeeded' })
    expect((await read()).status).toBe('succeeded')
  })

  test('a job that has ended meanwhile keeps its own end', async () => {
    const { api, dispatchId, jobOf, turn, states, store } = await aStubborn()
    await store.noteRun(dispatchId, { taskId: 0, attempt: 1 }, { state: 'succeeded', endedAt: now })
    expect((await api.redriveDispatch(ada, dispatchId, { force: true, dryRun: true })).tasks).toEqual([
      { taskId: 2, name: 'c', state: 'cancelled' },
    ])
    await api.redriveDispatch(ada, dispatchId, { force: true })
    await turn()
    expect(jobOf(2).state).toBe('queued')
    expect(await states()).toMatchObject({ a: 'succeeded', c: 'queued' })
  })

  test('of other tasks settles what is not named as cancelled', async () => {
    const { api, dispatchId, context, end, states, turn } = await aDriven([aTask('a'), aTask('b'), aTask('c')])
    await end(1, 'failed')
    await cancelDispatch(context, ada, dispatchId, { ...order, taskIds: [0] }, { source: 'api' })
    await api.redriveDispatch(ada, dispatchId, { taskIds: [1], force: true })
    await turn()
    expect(await states()).toMatchObject({ a: 'cancelled', b: 'queued' })
  })

  test('a redrive that is refused gives nothing up', async () => {
    const { api, dispatchId, read } = await aStubborn()
    const before = await read()
    await expect(api.redriveDispatch(ada, dispatchId, { taskIds: [1], force: true })).rejects.toThrow('has not ended')
    expect(await read()).toEqual(before)
  })

  test('nothing is different where nothing is unconfirmed', async () => {
    const { api, dispatchId, history } = await aFailed()
    expect((await api.redriveDispatch(ada, dispatchId, { force: true })).reopened).toBe(2)
    expect((await history()).join()).not.toContain('does not wait')
  })
})
