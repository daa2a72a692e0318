import { beforeAll, describe, expect, test, vi } from 'vitest'
import { ada, httpEventOf, signedBy, snsEventOf } from '../aws/events.ts'
import { aRunningDispatch, useWorlds, type World } from './a-world.ts'

const aWorld = useWorlds()

const topicArn = 'arn:aws:sns:eu-west-1:111122223333:costs'
const triggers = [{ kind: 'request' }, { kind: 'request', topicArn }]
// Read when the functions are loaded, by the first world.
beforeAll(() => {
  vi.stubEnv('QUENCH_TRIGGERS', JSON.stringify(triggers))
})

const someone = '00000000-0000-4000-8000-000000000000'

const call = (world: World, event: unknown) => world.clock.busy(() => world.functions.cancel(event)) as Promise<never>

/** Source: EventBridge user guide, "Adding events": what PutEvents makes. */
const requestEvent = (detail: unknown) => ({
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Quench Cancel Request',
  source: 'lab.scheduler',
  account: '111122223333',
  time: '2026-11-23T12:00:00Z',
  region: 'eu-west-1',
  resources: [],
  detail,
})

describe('a request through API Gateway', () => {
  test('is answered with 202, and is on record with who sent it', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const answer = await world.cancel(id, { reason: 'enough' })
    expect(answer).toMatchObject({ statusCode: 202, body: { scope: 'dispatch', counts: { stopping: 1 } } })
    expect(await world.store.listCancellations(id)).toMatchObject([{ actor: ada, source: 'api', reason: 'enough' }])
    await world.end(id)
  })

  test("does not find another's dispatch, unless an admin sends it", async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const as = (userArn: string) =>
      call(
        world,
        httpEventOf({ method: 'POST', path: `/dispatches/${id}/cancellations`, authorizer: signedBy(userArn) }),
      )
    expect(await as('arn:aws:iam::111122223333:user/mallory')).toMatchObject({ statusCode: 404 })
    expect(await world.store.listCancellations(id)).toEqual([])
    expect(await as('arn:aws:sts::111122223333:assumed-role/Admin/grace')).toMatchObject({ statusCode: 202 })
    await world.end(id)
  })

  test('is answered with every problem of it', async () => {
    const world = await aWorld()
    const answer = await world.cancel(someone, { taskIds: [], mode: 'gently' })
    expect(answer.statusCode).toBe(400)
    expect(answer.body.details.map(({ path }: { path: string }) => path)).toEqual(['taskIds', 'mode'])
  })
})

describe('a payload typed into the console', () => {
  test('is answered as the API answers, and is on record as the console', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const answer = await call(world, { dispatchId: id, taskIds: [0], reason: 'typed' })
    expect(answer).toMatchObject({ dispatchId: id, scope: 'tasks', counts: { stopping: 1 } })
    expect(await world.store.listCancellations(id)).toMatchObject([
      { source: 'console', reason: 'typed', taskIds: [0] },
    ])
    await world.end(id)
  })

  test('with a problem is an error that says all of them', async () => {
    const world = await aWorld()
    await expect(call(world, { dispatchId: 'x', task: 3 })).rejects.toThrow(
      /^this is not a cancel request: dispatchId: must be the whole id of a dispatch; .*task/,
    )
    await expect(call(world, { dispatchId: someone })).rejects.toThrow(`there is no dispatch ${someone}`)
  })
})

describe('an event of EventBridge', () => {
  test('with a cancel request cancels once, however often it comes', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    for (let times = 0; times < 2; times++)
      expect(await call(world, requestEvent({ dispatchId: id }))).toMatchObject([{ dispatchId: id }])
    expect(await world.store.listCancellations(id)).toMatchObject([{ actor: 'lab.scheduler in account 111122223333' }])
    await world.end(id)
  })

  test('about what can never succeed is answered, not thrown: it would only come again', async () => {
    const world = await aWorld()
    expect(await call(world, requestEvent({ dispatchId: someone }))).toEqual([
      { dispatchId: someone, code: 'NotFound', message: `there is no dispatch ${someone}` },
    ])
  })

  test('of another kind changes nothing', async () => {
    const world = await aWorld()
    expect(await call(world, { ...requestEvent({}), 'detail-type': 'Scheduled Event', source: 'aws.events' })).toEqual(
      [],
    )
  })
})

describe('a message of SNS', () => {
  test('with a cancel request counts only from a topic that a trigger names', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const message = JSON.stringify({ dispatchId: id, reason: 'over' })
    expect(
      await call(world, snsEventOf({ Message: message, TopicArn: 'arn:aws:sns:eu-west-1:111122223333:other' })),
    ).toEqual([])
    expect(await call(world, snsEventOf({ Message: 'hello', TopicArn: topicArn }))).toEqual([])
    expect(await call(world, snsEventOf({ Message: message, TopicArn: topicArn }))).toMatchObject([{ dispatchId: id }])
    await world.end(id)
  })
})
