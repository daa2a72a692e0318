import { expect, test, vi } from 'vitest'
import { aRunningDispatch, useWorlds } from './a-world.ts'

const aWorld = useWorlds()

test('a redrive through API Gateway runs what was cancelled again, in an execution of its own', async () => {
  const world = await aWorld({ fates: { '0-2': { seconds: 2 } } })
  const id = await aRunningDispatch(world)
  await world.cancel(id)
  await world.end(id)
  expect((await world.store.readDispatch(id))?.status).toBe('cancelled')
  const jobs = world.batch.submitted.length
  const { statusCode, body } = await world.request('POST', `/dispatches/${id}/redrive`, {}, world.functions.cancel)
  expect({ statusCode, body }).toMatchObject({ statusCode: 202, body: { dispatchId: id } })
  await world.clock.runUntil(async () => world.batch.submitted.length > jobs)
  await world.end(id)
  expect(await world.store.readDispatch(id)).toMatchObject({ status: 'succeeded', epoch: 3, redrives: 1 })
  expect(world.loops()).toContain('3-1 SUCCEEDED')
  expect((await world.store.readAllRuns(id)).map(({ attempt, state }) => [attempt, state])).toContainEqual([
    2,
    'succeeded',
  ])
})

test('a redrive whose execution was never started is taken up by the sweep', async () => {
  const world = await aWorld({ fates: { '0-2': { seconds: 2 } } })
  const id = await aRunningDispatch(world)
  await world.cancel(id)
  await world.end(id)
  world.failNext('StartExecution')
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { statusCode } = await world.request('POST', `/dispatches/${id}/redrive`, {}, world.functions.cancel)
  expect(statusCode).toBe(500)
  expect(logged).toHaveBeenCalledOnce()
  world.clock.schedule(240, () => world.functions.sweep({}))
  await world.end(id)
  expect(await world.store.readDispatch(id)).toMatchObject({ status: 'succeeded', redrives: 1 })
})
