import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import type { GraphInput } from '../../../lib/schema/graph-file.ts'
import { startRace } from '../../support/race.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const both = [
  { name: 'deaf', executor: 'batch' },
  { name: 'away', executor: 'ssh' },
]

test('the force comes when the grace is over, although a poll of another back end hangs', async () => {
  const race = await startRace(dynamo, { tasks: both })
  await race.start()
  const deaf = await race.jobOf(0)
  await race.jobOf(1)
  deaf.isStubborn = true
  race.world.weather = { ssh: { kind: 'hanging' } }
  // Polls are due, and hang.
  await race.until(() => race.seen('ssh.poll 1, which hangs'), 'a poll that hangs')
  const { now } = race.world.gates
  await race.cancel({ graceSeconds: 5 })
  await race.until(() => race.seen(`batch.cancel ${deaf.id} force`), 'the force')
  expect(race.world.gates.now - now).toBeLessThan(12_000)
  race.world.weather = {}
  expect((await race.end()).state).toBe('cancelled')
})

test('what hangs is asked again after its deadline, and the other back end confirms meanwhile', async () => {
  const race = await startRace(dynamo, { tasks: both })
  await race.start()
  const healthy = await race.jobOf(0)
  await race.jobOf(1)
  healthy.isStubborn = false
  race.world.weather = { ssh: { kind: 'hanging' } }
  const { now } = race.world.gates
  await race.cancel()
  await race.until(() => healthy.state === 'cancelled', 'the end of the healthy one')
  const settled = () => race.world.root?.settled.get(0) === 'cancelled'
  await race.until(settled, 'its confirmation')
  expect(race.world.gates.now - now).toBeLessThan(25_000)
  race.world.weather = {}
  expect((await race.end()).state).toBe('cancelled')
})

const childOf = (executor: string, count = 1) => ({
  executor: 'sublattice',
  options: {
    graph: { name: executor, tasks: Array.from({ length: count }, (_, n) => ({ name: `job-${n}`, executor })) },
  },
})

/** Children on a host that hangs, and a last one on one that does not, whose second job is about to begin. */
const crowd = (hanging: number): GraphInput => ({
  name: 'parent',
  tasks: [
    ...Array.from({ length: hanging }, (_, n) => ({ name: `away-${n}`, ...childOf('ssh') })),
    {
      name: 'healthy',
      executor: 'sublattice',
      options: {
        graph: {
          name: 'healthy',
          tasks: [
            { name: 'first', executor: 'batch' },
            { name: 'second', executor: 'batch', needs: ['first'] },
          ],
        },
      },
    },
  ],
})

test.for([5, 40])(
  '%i children that hang keep no fence from the others, nor their jobs from being killed',
  async (hanging) => {
    const race = await startRace(dynamo, crowd(hanging))
    await race.start()
    const { world } = race
    const count = () => world.jobs.filter(({ name }) => name !== '').length
    await race.until(() => count() === hanging + 1, 'a job in every child')
    world.weather = { ssh: { kind: 'hanging' } }
    const { now } = world.gates
    const healthy = world.jobs.find(({ id }) => id.startsWith('batch'))
    if (!healthy) throw new Error('no healthy job')
    await race.cancel({ graceSeconds: 300 })
    expect(world.gates.now - now, 'the answer').toBeLessThanOrEqual(12_000)
    for (const [id, { fences }] of world.dispatches) expect(fences.size, `fences of ${id}`).toBeGreaterThan(0)
    expect(race.seen(`batch.cancel ${healthy.id}`)).toBe(true)
    // The first has succeeded all the same: what follows it must not begin.
    if (healthy.state !== 'cancelled') healthy.state = 'succeeded'
    world.weather = {}
    expect((await race.end()).state).toBe('cancelled')
    expect(world.jobs.filter(({ id }) => id.startsWith('batch'))).toHaveLength(1)
  },
)

test('the grace that a parent is cancelled with is that of its children', async () => {
  const race = await startRace(dynamo, { tasks: [{ name: 'child', ...childOf('batch') }] })
  await race.start()
  const { dispatchId } = await race.jobOf(0)
  await race.cancel({ graceSeconds: 300 })
  expect(Object.values((await race.world.store.readDispatch(dispatchId))?.fences ?? {})).toMatchObject([
    { scope: 'all', graceSeconds: 300, mode: 'graceful' },
  ])
  await race.end()
})

test.for(['start', 'wake'])(
  'the first kill pass is made although the loop cannot be reached: %s fails',
  async (verb) => {
    const race = await startRace(dynamo, { tasks: both })
    await race.start()
    const job = await race.jobOf(0)
    await race.jobOf(1)
    race.world.refusedVerbs = new Set([verb])
    const answer = await race.cancel(verb === 'wake' ? { taskIds: [0] } : {})
    expect(answer).toMatchObject({ isLoopLate: true })
    expect(race.seen(`batch.cancel ${job.id}`)).toBe(true)
    race.world.refusedVerbs = new Set()
    if (verb === 'wake') (await race.jobOf(1)).state = 'succeeded'
    expect((await race.end()).state).toBe('cancelled')
  },
)

test('a job whose back end does not answer in time is told as unasked', async () => {
  const race = await startRace(dynamo, { tasks: both })
  await race.start()
  await race.jobOf(0)
  await race.jobOf(1)
  race.world.weather = { ssh: { kind: 'hanging' } }
  expect((await race.cancel()).unasked).toEqual({ ssh: 1 })
  race.world.weather = {}
  expect((await race.end()).state).toBe('cancelled')
})
