import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InvalidInput } from '../../../lib/domain/errors.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startRace } from '../../support/race.ts'
import { caller } from '../../support/world.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const one = [{ name: 'only', executor: 'batch' }]
const chain = [
  { name: 'first', executor: 'batch' },
  { name: 'second', needs: ['first'], executor: 'ssh' },
]
const isWriteOfTask = (label: string) => label === 'Update TASK#00000'

describe('a cancel', () => {
  test('before the claim: nothing is ever submitted', async () => {
    const race = await startRace(dynamo, { tasks: one })
    const claim = race.hold(isWriteOfTask)
    await race.start()
    await claim.reached()
    const answer = await race.cancel()
    claim.letGo()
    const { state, tasks } = await race.end()
    race.expectNoJobs()
    expect(answer.counts).toMatchObject({ stopping: 0, abandoned: 1, finished: 0 })
    expect(state).toBe('cancelled')
    expect(tasks.only).toMatchObject({ state: 'cancelled' })
    expect(tasks.only?.startedAt).toBeUndefined()
  })

  test('between the claim and the fence read: the claim is given back, nothing is provisioned', async () => {
    const race = await startRace(dynamo, { tasks: one })
    const fenceRead = race.hold((label) => label === 'Get META' && race.seen(isWriteOfTaskLabel))
    await race.start()
    await fenceRead.reached()
    const answer = await race.cancel()
    fenceRead.letGo()
    const { state, tasks } = await race.end()
    race.expectNoJobs()
    expect(answer.counts).toMatchObject({ stopping: 1, abandoned: 0 })
    expect(state).toBe('cancelled')
    expect(tasks.only).toMatchObject({ state: 'cancelled' })
  })

  test('of one task between its claim and the fence read: the same, and the others run on', async () => {
    const tasks = [...one, { name: 'other', executor: 'ssh' }]
    const race = await startRace(dynamo, { tasks })
    const fenceRead = race.hold((label) => label === 'Get META' && race.seen(isWriteOfTaskLabel))
    await race.start()
    await fenceRead.reached()
    await race.cancel({ taskIds: [0] })
    fenceRead.letGo()
    ;(await race.jobOf(1)).state = 'succeeded'
    const { state, tasks: ended } = await race.end()
    expect(race.world.jobs.map((job) => job.taskId)).toEqual([1])
    expect(state).toBe('cancelled')
    expect(ended.other).toMatchObject({ state: 'succeeded' })
  })

  test('between claim and submit: the submit in flight is stopped as soon as its job exists', async () => {
    const race = await startRace(dynamo, { tasks: one })
    const submit = race.hold((label) => label.startsWith('batch.submit'))
    await race.start()
    await submit.reached()
    await race.cancel()
    race.expectNoJobs()
    submit.letGo()
    const { state, tasks } = await race.end()
    expect(await race.history()).toContain('only: stopped as soon as its job existed')
    expect(race.world.jobs.map((job) => job.state)).toEqual(['cancelled'])
    expect(state).toBe('cancelled')
    expect(tasks.only).toMatchObject({ state: 'cancelled', attempt: 1 })
  })

  test('between submit and handle: the job that has no handle yet is stopped', async () => {
    const race = await startRace(dynamo, { tasks: one })
    const handle = race.hold((label) => isWriteOfTask(label) && race.seen('batch.submit'))
    await race.start()
    await handle.reached()
    await race.cancel()
    handle.letGo()
    await race.end()
    expect(await race.history()).toContain('only: stopped as soon as its job existed')
    expect(race.world.jobs.map((job) => job.state)).toEqual(['cancelled'])
  })

  test('between submit and handle, and the submitter dies: the job is found by its name and stopped', async () => {
    const race = await startRace(dynamo, { tasks: one })
    const handle = race.hold((label) => isWriteOfTask(label) && race.seen('batch.submit'))
    await race.start()
    await handle.reached()
    handle.die()
    await race.cancel()
    const { state } = await race.end()
    expect(race.world.jobs.map((job) => job.state)).toEqual(['cancelled'])
    expect(race.seen('batch.find')).toBe(true)
    expect(state).toBe('cancelled')
  })

  test('between handle and second fence: the job is stopped', async () => {
    const race = await startRace(dynamo, { tasks: one })
    const fenceRead = race.hold((label) => label === 'Get META' && isHandleStored(race.world.gates.trace))
    await race.start()
    await fenceRead.reached()
    await race.cancel()
    fenceRead.letGo()
    await race.end()
    expect(race.world.jobs.map((job) => job.state)).toEqual(['cancelled'])
    expect(await race.history()).toContain('only: stopped as soon as its job existed')
  })

  test('between fence and drain, and the canceller dies: the old loop hands over and all is stopped', async () => {
    const race = await startRace(dynamo, { tasks: one })
    await race.start()
    await race.jobOf(0)
    race.world.gates.isHeld = (label) => label === 'start 2'
    const host = race.world.newHost('dying')
    const asked = race.world.spawn(host, () => race.world.api(host).cancelDispatch(caller, race.world.dispatchId, {}))
    await race.until(() => race.world.gates.waiting.some((call) => call.label === 'start 2'), 'the start of the drain')
    race.world.gates.crash(host, () => {})
    race.world.gates.isHeld = () => false
    await asked
    const { state } = await race.end()
    expect(state).toBe('cancelled')
    expect(race.world.jobs.map((job) => job.state)).toEqual(['cancelled'])
  })

  test('while a retry waits: the retry is not made', async () => {
    const race = await startRace(dynamo, { tasks: [{ name: 'only', executor: 'batch', retry: { attempts: 3 } }] })
    await race.start()
    const job = await race.jobOf(0)
    Object.assign(job, { state: 'failed', failure: { code: 'ExitCode', retryable: false } })
    const look = () => race.ask('reader', (api) => api.listTasks(caller, race.world.dispatchId, { limit: 9 }))
    let view = await look()
    while (!view.items[0]?.failure) view = await look()
    expect(view.items[0]).toMatchObject({ state: 'pending', attempt: 1, failure: { code: 'ExitCode' } })
    const answer = await race.cancel()
    const { state, tasks } = await race.end()
    expect(answer.counts).toMatchObject({ stopping: 1 })
    expect(race.world.jobs).toHaveLength(1)
    expect(state).toBe('cancelled')
    expect(tasks.only).toMatchObject({ state: 'cancelled', attempt: 1 })
  })

  test('of a finished dispatch: changes nothing and says so', async () => {
    const race = await startRace(dynamo, { tasks: chain })
    await race.start()
    ;(await race.jobOf(0)).state = 'succeeded'
    ;(await race.jobOf(1)).state = 'succeeded'
    const before = await race.end()
    const answer = await race.cancel()
    const part = await race.cancel({ taskIds: [1] })
    expect(answer.counts).toEqual({ stopping: 0, abandoned: 0, finished: 2, backends: {} })
    expect(part.targets).toEqual([{ taskId: 1, name: 'second', found: 'finished', state: 'succeeded' }])
    expect(await race.end()).toEqual(before)
    expect(race.seen('batch.cancel')).toBe(false)
  })

  test('of a task that has ended lets what depends on it run', async () => {
    const race = await startRace(dynamo, { tasks: chain })
    await race.start()
    ;(await race.jobOf(0)).state = 'succeeded'
    const second = await race.jobOf(1)
    const answer = await race.cancel({ taskIds: [0] })
    expect(answer.targets).toEqual([{ taskId: 0, name: 'first', found: 'finished', state: 'succeeded' }])
    second.state = 'succeeded'
    expect((await race.end()).state).toBe('succeeded')
  })

  test('twice at once: one drain, one end, both are answered', async () => {
    const race = await startRace(dynamo, { tasks: chain })
    await race.start()
    await race.jobOf(0)
    const hosts = ['left', 'right'].map((name) => race.world.newHost(name))
    const answers: unknown[] = []
    const asked = hosts.map((host) =>
      race.world.spawn(host, async () => {
        answers.push(await race.world.api(host).cancelDispatch(caller, race.world.dispatchId, {}))
      }),
    )
    await race.until(() => answers.length === 2, 'both answers')
    await Promise.all(asked)
    const { state } = await race.end()
    expect(state).toBe('cancelled')
    expect(race.world.root?.ended?.epoch).toBe(2)
    expect(race.world.jobs.map((job) => job.state)).toEqual(['cancelled'])
  })

  test('asked again with the same key is the same cancellation', async () => {
    const race = await startRace(dynamo, { tasks: chain })
    await race.start()
    await race.jobOf(0)
    const first = await race.cancel({ taskIds: [0] }, 'key')
    const second = await race.cancel({ taskIds: [0] }, 'key')
    expect(second.cancellationId).toBe(first.cancellationId)
    await race.end()
    const third = await race.cancel({ taskIds: [0] }, 'key')
    expect(third.cancellationId).toBe(first.cancellationId)
    expect(Object.keys(race.world.root?.ended?.fences ?? {})).toHaveLength(1)
  })

  test('is in the history, with who asked for it, why, and what it found', async () => {
    const race = await startRace(dynamo, {
      tasks: [
        { name: 'a', executor: 'batch' },
        { name: 'b', needs: ['a'], executor: 'batch' },
      ],
    })
    await race.start()
    await race.jobOf(0)
    await race.cancel({ taskIds: [0], reason: 'a typo' })
    const { items } = await race.ask('reader', (api) => api.listEvents(caller, race.world.dispatchId, { limit: 100 }))
    const line = `${caller.id} cancels tasks 0 and what follows them (api: a typo): 1 to stop, 1 abandoned, 0 already finished`
    expect(items.flatMap(({ lines }) => lines)).toContain(line)
  })

  test('with unknown ids changes nothing and names every one of them', async () => {
    const race = await startRace(dynamo, { tasks: chain })
    await race.start()
    await race.jobOf(0)
    const before = await race.world.store.readDispatch(race.world.dispatchId)
    const refused = await race.cancel({ taskIds: [0, 7, 9] }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InvalidInput)
    expect((refused as InvalidInput).details.map(({ path }) => path)).toEqual(['taskIds[1]', 'taskIds[2]'])
    expect((await race.world.store.readDispatch(race.world.dispatchId))?.fences).toEqual(before?.fences)
    expect(await race.world.store.listCancellations(race.world.dispatchId)).toEqual([])
  })

  test('with duplicate and unsorted ids stops exactly the jobs of those tasks', async () => {
    const tasks = ['a', 'b', 'c', 'd'].map((name) => ({ name, executor: 'batch' }))
    const race = await startRace(dynamo, { tasks })
    await race.start()
    for (const id of [0, 1, 2, 3]) await race.jobOf(id)
    // One of them has ended by itself: it must not be signalled again.
    const done = await race.jobOf(3)
    done.state = 'succeeded'
    await race.until(() => isSettled(race), 'task d settled')
    const answer = await race.cancel({ taskIds: [3, 2, 0, 2, 0] })
    expect(answer.targets.map(({ taskId, found }) => [taskId, found])).toEqual([
      [0, 'stopping'],
      [2, 'stopping'],
      [3, 'finished'],
    ])
    ;(await race.jobOf(1)).state = 'succeeded'
    const { tasks: ended, state } = await race.end()
    expect(Object.values(ended).map((task) => task.state)).toEqual(['cancelled', 'succeeded', 'cancelled', 'succeeded'])
    expect(state).toBe('cancelled')
    expect(done.isAskedToStop).toBe(false)
  })
})

describe('a pack', () => {
  const tasks = ['a', 'b', 'c'].map((name) => ({ name, executor: 'batch', pack: 'all' }))

  test('whose submitter dies between the submit and the handles: each element is given back to its task', async () => {
    const race = await startRace(dynamo, { tasks })
    const handle = race.hold((label) => label.startsWith('Update TASK') && race.seen('submit pack'))
    await race.start()
    await handle.reached()
    handle.die()
    await race.until(() => race.seen('find pack'), 'a look for the job of the pack')
    for (const id of [0, 1, 2]) (await race.jobOf(id)).state = 'succeeded'
    const { state, tasks: ended } = await race.end()
    expect(state).toBe('succeeded')
    expect(Object.values(ended).map(({ attempt }) => attempt)).toEqual([1, 1, 1])
    expect(race.world.jobs).toHaveLength(3)
  })

  test('of which one task is cancelled before the submit: the others are one job without it', async () => {
    const race = await startRace(dynamo, { tasks })
    const submit = race.hold((label) => label === 'Get META' && race.seen(': Update TASK#00002'))
    await race.start()
    await submit.reached()
    await race.cancel({ taskIds: [1] })
    submit.letGo()
    for (const id of [0, 2]) (await race.jobOf(id)).state = 'succeeded'
    const { tasks: ended } = await race.end()
    expect(Object.values(ended).map(({ state }) => state)).toEqual(['succeeded', 'cancelled', 'succeeded'])
    expect(race.world.jobs.map(({ taskId, pack }) => [taskId, pack?.index])).toEqual([
      [0, 0],
      [2, 1],
    ])
  })

  test('of which one task is left is that task alone: an array has two elements at least', async () => {
    const race = await startRace(dynamo, { tasks: tasks.slice(0, 2) })
    const submit = race.hold((label) => label === 'Get META' && race.seen(': Update TASK#00001'))
    await race.start()
    await submit.reached()
    await race.cancel({ taskIds: [1] })
    submit.letGo()
    ;(await race.jobOf(0)).state = 'succeeded'
    const { tasks: ended } = await race.end()
    expect(Object.values(ended).map(({ state }) => state)).toEqual(['succeeded', 'cancelled'])
    expect(race.world.jobs.map(({ taskId, pack }) => [taskId, pack])).toEqual([[0, undefined]])
  })
})

test('a turn reads META before the live tasks: a claim that did not see a fence is then in the list', async () => {
  const race = await startRace(dynamo, { tasks: one })
  await race.start()
  await race.jobOf(0)
  const reads = race.world.gates.trace.filter((line) => line.includes(': Get META') || line.includes(': Query'))
  expect(reads.slice(0, 3).map((line) => line.replace(/.*: /, '').trim())).toEqual(['Get META', 'Query', 'Query'])
})

const isWriteOfTaskLabel = ': Update TASK#00000'

function isHandleStored(trace: readonly string[]): boolean {
  const submitted = trace.findIndex((line) => line.includes('batch.submit'))
  return submitted >= 0 && trace.slice(submitted).some((line) => line.includes(isWriteOfTaskLabel))
}

function isSettled({ world }: Awaited<ReturnType<typeof startRace>>): boolean {
  return world.root?.settled.has(3) ?? false
}
