import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import type { LenientApi } from '../../support/lenient-api.ts'
import { startRace } from '../../support/race.ts'
import { caller } from '../../support/world.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

type Race = Awaited<ReturnType<typeof startRace>>

// In this world a job costs a dollar.
const failure = { code: 'ExitCode', retryable: false }

test('what an attempt has cost counts also when its retry is given back for a cancel', async () => {
  const race = await startRace(dynamo, { tasks: [{ name: 'only', executor: 'batch', retry: { attempts: 2 } }] })
  await race.start()
  Object.assign(await race.jobOf(0), { state: 'failed', failure })
  // Claim, handle, end, and the claim of the second attempt.
  const updates = () => race.world.gates.trace.filter((line) => line.includes(': Update TASK#00000')).length
  const fenceRead = race.hold((label) => label === 'Get META' && updates() === 4)
  await fenceRead.reached()
  await race.cancel()
  fenceRead.letGo()
  expect(await race.end()).toMatchObject({ state: 'cancelled', tasks: { only: { attempt: 2 } } })
  expect(race.world.jobs).toHaveLength(1)
  const budget = await race.ask('reader', (api) => api.describeBudget(caller, race.world.dispatchId))
  expect(budget).toMatchObject({ totalUsd: 1 })
})

/** Whatever was under way has had its time. */
async function expectNoStop({ world }: Race): Promise<void> {
  for (let steps = 0; steps < 100; steps++) await world.step()
  expect((await world.store.readDispatch(world.dispatchId))?.fences).toEqual({})
}

describe('a loop that is about to stop its own dispatch', () => {
  test.each([
    ['its record', (label: string) => label.startsWith('Put CANCEL#')],
    ['its fence', (label: string) => label === 'Update META'],
  ])('does not when the budget was raised before %s is written', async (_, isStop) => {
    const race = await startRace(dynamo, { tasks: [{ name: 'only', executor: 'batch' }], budget: { limitUsd: 1 } })
    await race.start()
    const job = await race.jobOf(0)
    const isDeciding = () => race.seen(': Put CANCEL#')
    const write = race.hold((label) => isStop(label) && (label !== 'Update META' || isDeciding()))
    await write.reached()
    const raise = () => race.ask('canceller', (api) => api.setBudget(caller, race.world.dispatchId, { limitUsd: 9 }))
    expect(await raise()).toMatchObject({ isExceeded: false })
    write.letGo()
    await expectNoStop(race)
    job.state = 'succeeded'
    expect(await race.end()).toMatchObject({ state: 'succeeded' })
  })

  test('does not when a redrive has begun its time anew', async () => {
    const tasks = ['fails', 'runs'].map((name) => ({ name, executor: 'batch' }))
    const race = await startRace(dynamo, { tasks, timeoutSeconds: 3000 })
    await race.start()
    Object.assign(await race.jobOf(0), { state: 'failed', failure })
    const job = await race.jobOf(1)
    const write = race.hold((label) => label.startsWith('Put CANCEL#'))
    await write.reached()
    await race.redrive()
    write.letGo()
    ;(await race.jobOf(0, 2)).state = 'succeeded'
    await expectNoStop(race)
    job.state = 'succeeded'
    expect(await race.end()).toMatchObject({ state: 'succeeded' })
  })
})

test('a job that a poll sees stopped at its time limit has timed out, although the poll began before', async () => {
  const race = await startRace(dynamo, {
    tasks: [
      { name: 'slow', executor: 'ssh', timeoutSeconds: 20 },
      { name: 'other', executor: 'ssh' },
    ],
  })
  await race.start()
  const slow = await race.jobOf(0)
  Object.assign(slow, { state: 'running', isStubborn: false })
  const other = await race.jobOf(1)
  other.state = 'running'
  await race.until(() => race.world.gates.now >= 1_700_000_000_000 + 15_000, 'its time is nearly over')
  const poll = race.hold((label) => label.startsWith('ssh.poll'))
  await poll.reached()
  await race.until(() => slow.isAskedToStop, 'the job is asked to stop')
  slow.state = 'cancelled'
  poll.letGo()
  other.state = 'succeeded'
  const { state, tasks } = await race.end()
  expect(tasks.slow).toMatchObject({ state: 'failed', failure: { code: 'TimedOut' } })
  expect(state).toBe('failed')
})

describe('a job that was asked to stop at its time limit', () => {
  const slow = { name: 'slow', executor: 'ssh', timeoutSeconds: 20 }

  /** It runs on, asked to stop. */
  async function aLateJob(task: object) {
    const race = await startRace(dynamo, { tasks: [{ ...slow, ...task }] })
    await race.start()
    const job = await race.jobOf(0)
    Object.assign(job, { state: 'running', isStubborn: true })
    await race.until(() => job.isAskedToStop, 'the job is asked to stop')
    return { race, job }
  }

  test('has timed out also when a cancel comes while it stops, and the cancel is confirmed', async () => {
    const { race, job } = await aLateJob({})
    const { cancellationId = '' } = await race.cancel()
    job.state = 'cancelled'
    const { tasks } = await race.end()
    expect(tasks.slow).toMatchObject({ state: 'failed', failure: { code: 'TimedOut' } })
    const view = await race.ask('reader', (api) =>
      api.describeCancellation(caller, race.world.dispatchId, cancellationId),
    )
    expect(view).toMatchObject({ state: 'confirmed', backends: { ssh: { requested: 1, confirmed: 1, failed: 1 } } })
  })

  test.each(['a retry', 'a redrive'])('says nothing about the attempt that %s makes', async (again) => {
    const { race, job } = await aLateJob(again === 'a retry' ? { retry: { attempts: 2 } } : {})
    job.state = 'cancelled'
    if (again === 'a redrive') {
      await race.end()
      await race.redrive()
    }
    Object.assign(await race.jobOf(0, 2), { state: 'failed', failure })
    const { tasks } = await race.end()
    expect(tasks.slow).toMatchObject({ state: 'failed', attempt: 2, failure: { code: 'ExitCode' } })
  })
})

test('a loop that dies between the fence of its own stop and the drain leaves a dispatch that ends', async () => {
  const race = await startRace(dynamo, { tasks: [{ name: 'only', executor: 'batch' }], budget: { limitUsd: 1 } })
  await race.start()
  const job = await race.jobOf(0)
  Object.assign(job, { state: 'running', isStubborn: false })
  const drain = race.hold((label) => label === 'start 2')
  await drain.reached()
  drain.die()
  await race.until(() => job.isAskedToStop, 'the job is asked to stop')
  job.state = 'cancelled'
  expect(await race.end()).toMatchObject({ state: 'cancelled' })
})

test.each([
  ['budget', async (api: LenientApi, id: string) => (await api.describeBudget(caller, id)).totalUsd, 2],
  [
    'dispatch',
    async (api: LenientApi, id: string) => (await api.describeDispatch(caller, id)).tasks,
    { succeeded: 1, queued: 1 },
  ],
] as const)('what a turn settles while a %s is read is not missing in it', async (_, read, shown) => {
  const race = await startRace(dynamo, { tasks: ['a', 'b'].map((name) => ({ name, executor: 'batch' })) })
  await race.start()
  const job = await race.jobOf(0)
  await race.jobOf(1)
  await race.until(() => race.world.gates.waiting.every(({ label }) => label === 'rest'), 'both jobs are noted')
  const { world } = race
  const host = world.newHost('reader')
  world.gates.isHeld = (label, { name }) => name === 'reader' && label === 'Query ' && race.seen('reader: Query')
  let answer: Awaited<ReturnType<typeof read>> | undefined
  const asked = world.spawn(host, async () => {
    answer = await read(world.api(host), world.dispatchId)
  })
  await race.until(() => world.gates.waiting.some((one) => world.gates.isHeld(one.label, one.host)), 'the live tasks')
  job.state = 'succeeded'
  await race.until(() => world.root?.settled.size === 1, 'its end')
  await race.until(
    () => world.gates.waiting.every(({ label, host: { name } }) => label === 'rest' || name === 'reader'),
    'the clearing',
  )
  world.gates.isHeld = () => false
  await race.until(() => answer !== undefined, 'an answer')
  await asked
  expect(answer).toEqual(shown)
})
