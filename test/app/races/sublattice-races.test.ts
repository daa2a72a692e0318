import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import type { GraphInput } from '../../../lib/schema/graph-file.ts'
import { startRace } from '../../support/race.ts'
import { caller } from '../../support/world.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const leaf = { name: 'leaf', tasks: [{ name: 'work', executor: 'batch' }] }
const nest = (graph: GraphInput) => ({
  name: 'outer',
  tasks: [{ name: 'inner', executor: 'sublattice', options: { graph: JSON.parse(JSON.stringify(graph)) } }],
})

type Race = Awaited<ReturnType<typeof startRace>>

const children = ({ world }: Race) => world.childrenOf(world.dispatchId).map(({ ended }) => ended?.status)
const times = ({ world }: Race, label: string) => world.gates.trace.filter((line) => line.endsWith(label)).length

/** The races of AgnostiqHQ/covalent#1471. */
describe('a cancel of a sublattice', () => {
  test('before its child is made: none is ever born, at most a tombstone stands in its place', async () => {
    const race = await startRace(dynamo, nest(leaf))
    const claim = race.hold((label) => label === 'Update TASK#00000')
    await race.start()
    await claim.reached()
    await race.cancel({ taskIds: [0] })
    claim.letGo()
    expect((await race.end()).state).toBe('cancelled')
    for (const { made, ended } of race.world.childrenOf(race.world.dispatchId)) {
      expect(made.taskCount).toBe(0)
      expect(ended?.status).toBe('cancelled')
    }
    race.expectNoJobs()
  })

  test('while its child is made: the child is cancelled as soon as it is there, or never comes', async () => {
    const race = await startRace(dynamo, nest(leaf))
    const birth = race.hold((label) => label === 'Put META' && race.world.dispatchId !== '')
    await race.start()
    await birth.reached()
    await race.cancel()
    birth.letGo()
    expect((await race.end()).state).toBe('cancelled')
    expect(children(race)).toEqual(['cancelled'])
    race.expectNoJobs()
  })

  test('while its child is made, and the maker comes too late: the tombstone stands', async () => {
    const race = await startRace(dynamo, nest(leaf))
    const birth = race.hold((label) => label === 'Put META' && race.world.dispatchId !== '')
    await race.start()
    await birth.reached()
    const before = race.world.gates.now
    await race.cancel()
    // The maker is still held back, and the parent need not wait for its lease to be over.
    await race.until(() => race.world.root?.ended !== undefined, 'the end of the parent')
    expect(race.world.gates.now - before).toBeLessThan(60_000)
    birth.letGo()
    expect((await race.end()).state).toBe('cancelled')
    expect(children(race)).toEqual(['cancelled'])
    race.expectNoJobs()
  })

  test('while its child is made, and the maker dies: nothing is left to be born', async () => {
    const race = await startRace(dynamo, nest(leaf))
    const birth = race.hold((label) => label === 'Put META' && race.world.dispatchId !== '')
    await race.start()
    await birth.reached()
    birth.die()
    await race.cancel({ taskIds: [0] })
    expect((await race.end()).state).toBe('cancelled')
    expect(children(race)).toEqual(['cancelled'])
    race.expectNoJobs()
  })

  test('after its child is made but before it starts: the child ends without a job', async () => {
    const race = await startRace(dynamo, nest(leaf))
    const start = race.hold((label) => label === 'start 1' && times(race, 'start 1') > 0)
    await race.start()
    await start.reached()
    await race.cancel()
    start.letGo()
    expect((await race.end()).state).toBe('cancelled')
    expect(children(race)).toEqual(['cancelled'])
    race.expectNoJobs()
  })

  test.for([1, 2, 3])('while its child runs, %i deep: the jobs of every child are stopped', async (depth) => {
    const graph = Array.from({ length: depth }).reduce<GraphInput>((inner) => nest(inner), leaf)
    const race = await startRace(dynamo, graph)
    await race.start()
    const job = await race.jobOf(0)
    await race.cancel({ reason: 'enough' })
    const { state, tasks } = await race.end()
    expect(state).toBe('cancelled')
    expect(tasks.inner).toMatchObject({ state: 'cancelled' })
    expect(race.world.jobs.map(({ state: end }) => end)).toEqual(['cancelled'])
    expect([...race.world.dispatches.values()].map(({ ended }) => ended?.status)).toEqual(
      Array.from({ length: depth + 1 }, () => 'cancelled'),
    )
    const [record] = await race.world.store.listCancellations(job.dispatchId)
    expect(record).toMatchObject({ reason: 'enough', source: 'parent' })
  })

  test('task by task inside the child works by its own id, and the parent hears of its end', async () => {
    const race = await startRace(
      dynamo,
      nest({ name: 'two', tasks: ['left', 'right'].map((name) => ({ name, executor: 'ssh' })) }),
    )
    await race.start()
    const { dispatchId } = await race.jobOf(0)
    await race.jobOf(1)
    await race.ask('canceller', (api) => api.cancelDispatch(caller, dispatchId, { taskIds: [0] }))
    ;(await race.jobOf(1)).state = 'succeeded'
    const { state } = await race.end()
    expect(state).toBe('cancelled')
    expect(race.world.jobs.map((job) => job.state)).toEqual(['cancelled', 'succeeded'])
  })
})
