import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readBraketEvent } from '../../../lib/back-ends/braket/news.ts'
import { hybridJobName } from '../../../lib/back-ends/braket-job/job-name.ts'
import { type JobRef, jobName } from '../../../lib/domain/job-name.ts'

const ref: JobRef = { dispatchId: randomUUID(), taskId: 12, attempt: 2 }
const taskArn = 'arn:aws:braket:us-east-1:012345678901:quantum-task/834b21ed-77a7-4b36-a90c-c776afc9a71e'
const jobArn = 'arn:aws:braket:us-east-1:012345678901:job/acc51817-2b7a-48ed-8dee-fffc87703b10'

/** The example of the developer guide, for a task of ours. */
const taskEvent = (detail: object = {}) => ({
  version: '0',
  id: '6101452d-8caf-062b-6dbc-ceb5421334c5',
  'detail-type': 'Braket Task State Change',
  source: 'aws.braket',
  account: '012345678901',
  time: '2021-10-28T01:17:45Z',
  region: 'us-east-1',
  resources: [taskArn],
  detail: {
    quantumTaskArn: taskArn,
    status: 'COMPLETED',
    deviceArn: 'arn:aws:braket:::device/quantum-simulator/amazon/sv1',
    shots: '100',
    outputS3Bucket: 'amazon-braket-0260a8bc871e',
    outputS3Directory: `results/braket/${jobName(ref)}/834b21ed-77a7-4b36-a90c-c776afc9a71e`,
    createdAt: '2021-10-28T01:17:42.898Z',
    eventName: 'MODIFY',
    endedAt: '2021-10-28T01:17:44.735Z',
    ...detail,
  },
})

const jobEvent = (detail: object = {}) => ({
  'detail-type': 'Braket Job State Change',
  source: 'aws.braket',
  detail: {
    jobArn,
    jobName: hybridJobName(ref),
    status: 'COMPLETED',
    startedAt: '2021-10-28T01:17:42.898Z',
    endedAt: '2021-10-28T01:17:44.735Z',
    ...detail,
  },
})

describe('the event of a quantum task', () => {
  test('leads back to its attempt by its output folder', () => {
    const news = readBraketEvent(taskEvent())
    expect(news).toMatchObject({ ref, seen: { state: 'succeeded', endedAt: Date.parse('2021-10-28T01:17:44.735Z') } })
  })

  test('is about the task with its ARN, and no other', () => {
    const news = readBraketEvent(taskEvent())
    expect(news?.isOf({ kind: 'quantum-task', arn: taskArn })).toBe(true)
    expect(news?.isOf({ kind: 'quantum-task', arn: `${taskArn}0` })).toBe(false)
  })

  test.each([
    ['CREATED', 'queued'],
    ['QUEUED', 'queued'],
    ['RUNNING', 'running'],
    ['CANCELLING', 'queued'],
    ['CANCELLED', 'cancelled'],
  ])('with status %s says %s', (status, state) => {
    expect(readBraketEvent(taskEvent({ status }))?.seen.state).toBe(state)
  })

  test('that failed leaves the end to a poll, which knows why', () => {
    expect(readBraketEvent(taskEvent({ status: 'FAILED' }))?.seen).toEqual({ state: 'running' })
    const told = readBraketEvent(taskEvent({ status: 'FAILED', failureReason: 'too hot' }))
    expect(told?.seen).toMatchObject({ state: 'failed', failure: { message: 'too hot' } })
  })
})

describe('the event of a hybrid job', () => {
  test('leads back to its attempt by its name', () => {
    const news = readBraketEvent(jobEvent())
    expect(news).toMatchObject({ ref, seen: { state: 'succeeded', startedAt: Date.parse('2021-10-28T01:17:42.898Z') } })
    expect(news?.isOf({ kind: 'hybrid-job', arn: jobArn })).toBe(true)
  })

  test('leads back by the end of its ARN, where that is the name', () => {
    const named = { jobName: undefined, jobArn: `arn:aws:braket:us-east-1:012345678901:job/${hybridJobName(ref)}` }
    expect(readBraketEvent(JSON.parse(JSON.stringify(jobEvent(named))))?.ref).toEqual(ref)
  })
})

test.each([
  ['of a task that is not ours', taskEvent({ outputS3Directory: 'sns-testing/834b21ed' })],
  ['of a job that is not ours', jobEvent({ jobName: 'somebody-else' })],
  ['of another source', { ...taskEvent(), source: 'aws.batch' }],
  ['of another kind', { ...taskEvent(), 'detail-type': 'Braket Device Status Change' }],
  ['without detail', { source: 'aws.braket', 'detail-type': 'Braket Task State Change' }],
  ['that is no event', 'hello'],
])('an event %s is no news', (_, event) => {
  expect(readBraketEvent(event)).toBeUndefined()
})
