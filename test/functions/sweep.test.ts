import { randomUUID } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { aFence, aScope } from '../support/builders.ts'
import { aRunningDispatch, single, useWorlds, type World } from './a-world.ts'

const aWorld = useWorlds()

const sweep = (world: World) => world.clock.busy(() => world.functions.sweep({}))

/** Let seconds pass. */
async function pass({ clock }: World, seconds: number) {
  const end = clock.now() + seconds * 1000
  clock.schedule(seconds, async () => {})
  await clock.runUntil(() => clock.now() >= end)
}

describe('a sweep', () => {
  test('an execution that never started is started, once its dispatch has been silent for a while', async () => {
    const world = await aWorld({ fates: { '0-1': { seconds: 1 } } })
    world.failNext('StartExecution')
    vi.spyOn(console, 'error').mockImplementation(() => {})
    expect((await world.request('POST', '/dispatches', single)).statusCode).toBe(500)
    const [id = ''] = (await world.store.listOpen()).slice(-1)
    expect(world.loops()).toEqual([])
    expect(await sweep(world)).toMatchObject({ resumed: 0 })
    await pass(world, 300)
    expect(await sweep(world)).toMatchObject({ resumed: 1 })
    await world.end(id)
    expect(world.loops()).toEqual(['1-1 SUCCEEDED'])
  })

  test('what fails keeps nothing else from being looked after, and is told at the end', async () => {
    const world = await aWorld({ fates: { '0-1': { seconds: 1 } } })
    vi.spyOn(console, 'error').mockImplementation(() => {})
    for (const _ of [1, 2]) {
      world.failNext('StartExecution')
      await world.request('POST', '/dispatches', single)
    }
    const ids = await world.store.listOpen()
    expect(world.loops()).toEqual([])
    world.batch.plant(`quench-${ids[0]}-0-7`)
    await pass(world, 300)
    world.failNext('StartExecution')
    await expect(sweep(world)).rejects.toThrow(/dispatches: [0-9a-f-]{36}: StartExecution is not to be had/)
    expect(world.loops()).toHaveLength(1)
    await pass(world, 3)
    expect(world.batch.jobs.find(({ jobName }) => jobName.endsWith('-0-7'))).toMatchObject({ status: 'FAILED' })
    expect(await sweep(world)).toMatchObject({ resumed: 1 })
    for (const id of ids) await world.end(id)
  })

  test('an execution that was stopped is a cancellation, also when nobody was told of it', async () => {
    const world = await aWorld({ isDeaf: true })
    const id = await aRunningDispatch(world)
    await world.clock.busy(() => world.steps.stop(`${id}-1-1`))
    await pass(world, 300)
    expect(await sweep(world)).toMatchObject({ cancelled: 1, resumed: 0 })
    await world.end(id)
    expect(await world.store.readDispatch(id)).toMatchObject({ status: 'cancelled' })
  })

  test('jobs that no attempt waits for are stopped, those of other deployments left alone', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    expect(await sweep(world)).toMatchObject({ leakedJobs: 0, foreignJobs: 0 })
    world.batch.plant(`quench-${id}-0-1`)
    world.batch.plant(`quench-${randomUUID()}-0-1`)
    world.batch.plant('a job of someone else')
    await pass(world, 2)
    expect(await sweep(world)).toMatchObject({ leakedJobs: 1, foreignJobs: 1 })
    await pass(world, 3)
    expect(world.batch.jobs.map(({ status }) => status)).toEqual(['RUNNING', 'FAILED', 'RUNNING', 'RUNNING'])
    expect((await world.store.listHistory(id, { limit: 100 })).items.flatMap(({ lines }) => lines)).toContain(
      'stopped 1 leaked jobs of batch: 0-1',
    )
    await world.cancel(id)
    await world.end(id)
  })

  test('a job whose submit has not stored its handle yet is not one that nobody waits for', async () => {
    const world = await aWorld()
    const [first] = single.tasks
    const id = await aRunningDispatch(world, { ...single, tasks: [first, { ...first, name: 'next', needs: ['only'] }] })
    const claim = { taskId: 1, attempt: 1, claimId: randomUUID(), executor: 'batch', at: world.clock.now() }
    await world.store.claim(id, claim)
    world.batch.plant(`quench-${id}-1-1`)
    expect(await sweep(world)).toMatchObject({ leakedJobs: 0 })
    world.batch.plant(`quench-${id}-1-2`)
    expect(await sweep(world)).toMatchObject({ leakedJobs: 1 })
    expect([...world.batch.terminated]).toEqual(['1-2'])
    await world.cancel(id)
    await world.end(id)
  })

  test('the job of a pack is waited for by its other members, though its leader was cancelled before it was there', async () => {
    const world = await aWorld()
    const [first] = single.tasks
    const id = await aRunningDispatch(world, {
      ...single,
      tasks: [first, ...[1, 2].map((n) => ({ ...first, name: `member-${n}`, needs: ['only'] }))],
    })
    const claim = { attempt: 1, executor: 'batch', at: world.clock.now(), packLeader: 1 }
    await world.store.claim(id, { ...claim, taskId: 2, claimId: randomUUID() })
    world.batch.plant(`quench-${id}-1-1`)
    expect(await sweep(world)).toMatchObject({ leakedJobs: 0 })
    await world.cancel(id)
    await world.end(id)
  })

  test('jobs that do not confirm their end are counted', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    await world.store.writeFence(id, aFence({ at: world.clock.now() - 899_000 }), {
      epoch: 1,
      isDrain: false,
    })
    expect(await sweep(world)).toMatchObject({ unconfirmedJobs: 0 })
    await pass(world, 1)
    expect(await sweep(world)).toMatchObject({ unconfirmedJobs: 1 })
    await world.end(id)
    expect(await sweep(world)).toMatchObject({ unconfirmedJobs: 0 })
  })

  test('of a part that is overdue only its own jobs are counted', async () => {
    const world = await aWorld()
    const [first] = single.tasks
    const id = await aRunningDispatch(world, { ...single, tasks: [first, { ...first, name: 'other' }] })
    const fence = aFence({ at: world.clock.now() - 900_000, scope: aScope([1], 2) })
    await world.store.writeFence(id, fence, { epoch: 1, isDrain: false })
    expect(await sweep(world)).toMatchObject({ unconfirmedJobs: 1 })
    await world.cancel(id)
    await world.end(id)
  })
})
