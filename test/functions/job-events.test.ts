import { describe, expect, test } from 'vitest'
import { aRunningDispatch, useWorlds } from './a-world.ts'

const aWorld = useWorlds()

/** Source: AWS Batch user guide, "AWS Batch job state change events", sample event, shortened. */
const batchEvent = (detail: object) => ({
  version: '0',
  id: 'c8f9c4b5-76e5-d76a-f980-7011e206042b',
  'detail-type': 'Batch Job State Change',
  source: 'aws.batch',
  account: '111122223333',
  time: '2026-11-23T12:00:00Z',
  region: 'eu-west-1',
  resources: ['arn:aws:batch:eu-west-1:111122223333:job/4c7599ae-0a82-49aa-ba5a-4727fcce14a8'],
  detail: {
    jobArn: 'arn:aws:batch:eu-west-1:111122223333:job/4c7599ae-0a82-49aa-ba5a-4727fcce14a8',
    jobName: 'event-test',
    jobId: '4c7599ae-0a82-49aa-ba5a-4727fcce14a8',
    jobQueue: 'arn:aws:batch:eu-west-1:111122223333:job-queue/default',
    status: 'RUNNABLE',
    attempts: [],
    createdAt: 1_508_781_340_401,
    retryStrategy: { attempts: 1, evaluateOnExit: [] },
    dependsOn: [],
    jobDefinition: 'arn:aws:batch:eu-west-1:111122223333:job-definition/default:1',
    parameters: {},
    container: { image: 'busybox', resourceRequirements: [], command: ['echo', "'hello world'"], exitCode: 0 },
    ...detail,
  },
})

/** Source: Lambda developer guide, "Using Lambda with Amazon SQS", sample event. */
const queueEvent = (...bodies: readonly string[]) => ({
  Records: bodies.map((body, n) => ({
    messageId: `message-${n}`,
    receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...',
    body,
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1545082649183' },
    messageAttributes: {},
    md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:111122223333:quench-job-events',
    awsRegion: 'eu-west-1',
  })),
})

describe('job events', () => {
  test('end a task at once, and wake its dispatch', async () => {
    const world = await aWorld({ isSilent: true })
    const id = await aRunningDispatch(world)
    const [job] = world.batch.jobs
    const event = batchEvent({
      jobId: job?.jobId,
      jobName: job?.jobName,
      status: 'SUCCEEDED',
      startedAt: 1,
      stoppedAt: 2,
    })
    expect(await world.clock.busy(() => world.functions.jobEvents(queueEvent(JSON.stringify(event))))).toEqual({
      batchItemFailures: [],
    })
    await world.end(id)
    expect(await world.store.readDispatch(id)).toMatchObject({ status: 'succeeded' })
    // Well before the next poll.
    expect(world.clock.now() - 1_700_000_000_000).toBeLessThan(5_000)
  })

  test('of others are passed over', async () => {
    const world = await aWorld()
    const event = queueEvent(JSON.stringify(batchEvent({})), JSON.stringify({ source: 'aws.ec2', detail: {} }))
    expect(await world.functions.jobEvents(event)).toEqual({ batchItemFailures: [] })
  })

  test('that cannot be read come again, and no others', async () => {
    const world = await aWorld()
    expect(await world.functions.jobEvents(queueEvent('{', JSON.stringify(batchEvent({}))))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'message-0' }],
    })
  })

  test('that could not be noted come again, and no others', async () => {
    const world = await aWorld({ isSilent: true })
    const id = await aRunningDispatch(world)
    const [job] = world.batch.jobs
    const event = batchEvent({ jobId: job?.jobId, jobName: job?.jobName, status: 'SUCCEEDED' })
    world.failNext('Update')
    expect(await world.functions.jobEvents(queueEvent(JSON.stringify(batchEvent({})), JSON.stringify(event)))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'message-1' }],
    })
    await world.cancel(id)
    await world.end(id)
  })
})
