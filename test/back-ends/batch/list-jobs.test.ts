import type { BatchClient, ListJobsCommandInput } from '@aws-sdk/client-batch'
import { expect, test } from 'vitest'
import { listBatchJobs } from '../../../lib/back-ends/batch/list-jobs.ts'
import { jobName } from '../../../lib/domain/job-name.ts'

const dispatchId = '00000000-0000-4000-8000-000000000000'
const named = (taskId: number) => jobName({ dispatchId, taskId, attempt: 1 })

/** Queues with pages of jobs, by state; each page names the next by its number. */
function aBatch(queues: Readonly<Record<string, Readonly<Record<string, readonly (readonly object[])[]>>>>) {
  const asked: string[] = []
  const send = async ({ input }: { input: ListJobsCommandInput }) => {
    const { jobQueue = '', jobStatus = '', nextToken = '0' } = input
    asked.push(`${jobQueue} ${jobStatus} ${nextToken}`)
    const pages = queues[jobQueue]?.[jobStatus] ?? []
    const next = Number(nextToken) + 1
    return { jobSummaryList: pages[Number(nextToken)], ...(next < pages.length && { nextToken: String(next) }) }
  }
  return { batch: { send: send as unknown as BatchClient['send'] }, asked }
}

test('our jobs of every open state, over all pages of all queues, each once', async () => {
  const { batch, asked } = aBatch({
    fast: { RUNNABLE: [[{ jobId: 'a', jobName: named(0) }]], RUNNING: [[{ jobId: 'a', jobName: named(0) }]] },
    slow: { RUNNING: [[{ jobId: 'b', jobName: named(1) }], [{ jobId: 'c', jobName: named(2) }]] },
  })
  const listed = await listBatchJobs(batch, ['fast', 'slow'])
  expect(listed.map(({ handle, ref }) => [handle, ref.taskId])).toEqual([
    [{ jobId: 'a', jobQueue: 'fast', name: named(0) }, 0],
    [{ jobId: 'b', jobQueue: 'slow', name: named(1) }, 1],
    [{ jobId: 'c', jobQueue: 'slow', name: named(2) }, 2],
  ])
  expect(listed.map(({ isOf }) => isOf({ jobId: 'b', index: 3 }))).toEqual([false, true, false])
  const states = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING']
  expect(asked).toEqual([
    ...states.map((state) => `fast ${state} 0`),
    ...states.map((state) => `slow ${state} 0`),
    'slow RUNNING 1',
  ])
})

test('jobs of others, and what has no name or no id, are left out', async () => {
  const strangers = [{ jobId: 'x', jobName: 'nightly' }, { jobId: 'y' }, { jobName: named(0) }]
  const { batch } = aBatch({ fast: { RUNNING: [strangers] } })
  expect(await listBatchJobs(batch, ['fast'])).toEqual([])
})
