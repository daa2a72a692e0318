import { beforeAll, describe, expect, test, vi } from 'vitest'
import { ada, httpEventOf, signedBy } from '../runtime/events.ts'
import { aRunningDispatch, single, useWorlds, type World } from './a-world.ts'

const aWorld = useWorlds()

const topicArn = 'arn:aws:sns:eu-west-1:111122223333:costs'
const triggers = [
  { kind: 'alarm', name: 'spend', tag: 'project=h2' },
  { kind: 'alarm', name: 'spend', topicArn, owner: ada },
  { kind: 'budget', name: 'monthly', topicArn, tag: 'project=h2' },
  { kind: 'request', topicArn },
]
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

/** Source: CloudWatch user guide, "Alarm events and EventBridge", sample event of a single-metric alarm. */
const alarmEvent = (alarmName: string, value: string) => ({
  version: '0',
  id: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92',
  'detail-type': 'CloudWatch Alarm State Change',
  source: 'aws.cloudwatch',
  account: '111122223333',
  time: '2026-11-23T12:00:00Z',
  region: 'eu-west-1',
  resources: [`arn:aws:cloudwatch:eu-west-1:111122223333:alarm:${alarmName}`],
  detail: {
    alarmName,
    configuration: { description: 'Goes into alarm when it costs too much', metrics: [] },
    previousState: { reason: 'Unchecked', timestamp: '2026-11-23T11:00:00.000+0000', value: 'OK' },
    state: { reason: 'Threshold Crossed', timestamp: '2026-11-23T12:00:00.000+0000', value },
  },
})

/** Source: Lambda developer guide, "Using Lambda with Amazon SNS", sample event. */
const snsEventOf = (Message: string, TopicArn = topicArn) => ({
  Records: [
    {
      EventVersion: '1.0',
      EventSubscriptionArn: `${TopicArn}:21be56ed-a058-49f5-8c98-aedd2564c486`,
      EventSource: 'aws:sns',
      Sns: {
        SignatureVersion: '1',
        Timestamp: '2026-11-23T12:00:00.000Z',
        Signature: 'tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j...65r==',
        MessageId: '95df01b4-ee98-5cb9-9903-4c221d41eb5e',
        Message,
        MessageAttributes: {},
        Type: 'Notification',
        TopicArn,
        Subject: 'TestInvoke',
      },
    },
  ],
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

  test('of an alarm cancels what its trigger is about, and only when it goes off', async () => {
    const world = await aWorld()
    const tagged = await aRunningDispatch(world, { ...single, tags: { project: 'h2' } })
    const other = await aRunningDispatch(world)
    expect(await call(world, alarmEvent('spend', 'OK'))).toEqual([])
    expect(await call(world, alarmEvent('unknown', 'ALARM'))).toEqual([])
    expect(await call(world, alarmEvent('spend', 'ALARM'))).toMatchObject([{ dispatchId: tagged }])
    expect(await world.store.listCancellations(tagged)).toMatchObject([
      { source: 'alarm', actor: 'alarm spend', reason: 'the alarm spend went off' },
    ])
    expect(await world.store.listCancellations(other)).toEqual([])
    await world.cancel(other)
    await world.end(tagged)
  })

  test('of another kind changes nothing', async () => {
    const world = await aWorld()
    expect(await call(world, { ...requestEvent({}), 'detail-type': 'Scheduled Event', source: 'aws.events' })).toEqual(
      [],
    )
  })
})

describe('a message of SNS', () => {
  test.each([
    // Source: AWS Cost Management user guide, "Creating an Amazon SNS topic for budget notifications".
    'Dear AWS Customer,\n\nYou requested that we alert you.\n\nBudget Name: monthly\nBudget Type: Cost\n',
    JSON.stringify({ account: '111122223333', budgetName: 'monthly', notificationType: 'ACTUAL' }),
  ])('of a budget cancels what its trigger is about: %j', async (message) => {
    const world = await aWorld()
    const id = await aRunningDispatch(world, { ...single, tags: { project: 'h2' } })
    expect(await call(world, snsEventOf(message))).toMatchObject([{ dispatchId: id }])
    expect(await world.store.listCancellations(id)).toMatchObject([{ source: 'budget', actor: topicArn }])
    await world.end(id)
  })

  test('of an alarm cancels what its trigger is about', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const message = (NewStateValue: string) => JSON.stringify({ AlarmName: 'spend', NewStateValue, Region: 'EU' })
    expect(await call(world, snsEventOf(message('OK')))).toEqual([])
    expect(await call(world, snsEventOf(message('ALARM')))).toMatchObject([{ dispatchId: id }])
    await world.end(id)
  })

  test('with a cancel request counts only from a topic that a trigger names', async () => {
    const world = await aWorld()
    const id = await aRunningDispatch(world)
    const message = JSON.stringify({ dispatchId: id, reason: 'over' })
    expect(await call(world, snsEventOf(message, 'arn:aws:sns:eu-west-1:111122223333:other'))).toEqual([])
    expect(await call(world, snsEventOf('hello'))).toEqual([])
    expect(await call(world, snsEventOf(message))).toMatchObject([{ dispatchId: id }])
    await world.end(id)
  })
})
