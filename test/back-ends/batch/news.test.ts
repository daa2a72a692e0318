import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { readBatchEvent } from '../../../lib/back-ends/batch/news.ts'
import { jobName } from '../../../lib/domain/job-name.ts'

const ref = { dispatchId: randomUUID(), taskId: 3, attempt: 1 }
const handle = { jobId: randomUUID(), jobQueue: 'default', name: jobName(ref) }

const anEvent = (detail: object) => ({
  source: 'aws.batch',
  'detail-type': 'Batch Job State Change',
  detail: { jobName: handle.name, jobId: handle.jobId, status: 'RUNNING', startedAt: 1000, ...detail },
})

const container = { environment: [{ name: 'QUENCH_PACK_TASKS', value: '3-5,9' }] }
const aChild = (index: number, detail: object = {}) =>
  anEvent({ jobId: `${handle.jobId}:${index}`, arrayProperties: { index }, container, ...detail })

test('news of a job of its own is about its task and its handle', () => {
  const news = readBatchEvent(anEvent({}))
  expect(news?.ref).toEqual(ref)
  expect(news?.seen).toEqual({ state: 'running', startedAt: 1000 })
  expect(news?.isOf(handle)).toBe(true)
  expect(news?.isOf({ ...handle, jobId: randomUUID() })).toBe(false)
})

test('news of a child of an array is about the task that its place stands for, and no other', () => {
  const news = readBatchEvent(aChild(3, { status: 'FAILED', container: { ...container, exitCode: 4 } }))
  expect(news?.ref).toEqual({ ...ref, taskId: 9 })
  expect(news?.seen).toMatchObject({ state: 'failed', exitCode: 4 })
  expect(news?.isOf({ ...handle, index: 3, size: 4 })).toBe(true)
  expect(news?.isOf({ ...handle, index: 2, size: 4 })).toBe(false)
  expect(news?.isOf(handle)).toBe(false)
})

test('news of the parent of an array says nothing about any task', () => {
  const arrayProperties = { size: 4, statusSummary: { FAILED: 1, SUCCEEDED: 3 } }
  expect(readBatchEvent(anEvent({ status: 'FAILED', arrayProperties, container }))).toBeUndefined()
})

test.each([
  ['whose environment is not told', aChild(0, { container: {} })],
  ['whose environment is not what it was', aChild(0, { container: { environment: [{ name: 'A' }] } })],
  ['beyond the tasks of its pack', aChild(4)],
  ["of another's job", anEvent({ jobName: 'nightly' })],
  ['of another service', { ...anEvent({}), source: 'aws.ecs' }],
])('news %s is left to the next poll', (_, event) => {
  expect(readBatchEvent(event)).toBeUndefined()
})
