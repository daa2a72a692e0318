import { type BatchClient, type JobStatus, type JobSummary, ListJobsCommand } from '@aws-sdk/client-batch'
import { parseJobName } from '../../domain/job-name.ts'
import { backendError } from '../aws-errors.ts'
import type { Deadline, ListedJob } from '../executor.ts'
import { within } from '../within.ts'

/** Source: Batch user guide, "Job states": every state that is not an end. */
const openStates: readonly JobStatus[] = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING']

/**
 * Our jobs in these queues that have not ended; a pack is one of them.
 *
 * State by state, 1,000 jobs a page: a filter by name would page through every job that ended in the last seven days,
 * 100 at a time. Source: API reference, ListJobs.
 */
export async function listBatchJobs(
  batch: Pick<BatchClient, 'send'>,
  jobQueues: readonly string[],
  deadline?: Deadline,
): Promise<readonly ListedJob[]> {
  const listed = new Map<string, ListedJob>()
  for (const jobQueue of jobQueues)
    for (const jobStatus of openStates)
      for await (const { jobId, jobName = '' } of listPages(batch, jobQueue, jobStatus, deadline)) {
        const ref = parseJobName(jobName)
        if (!ref || jobId === undefined) continue
        // By id: a job that went on to the next state between two pages is there twice.
        listed.set(jobId, {
          ref,
          handle: { jobId, jobQueue, name: jobName },
          isOf: (handle) => handle.jobId === jobId,
        })
      }
  return [...listed.values()]
}

async function* listPages(
  batch: Pick<BatchClient, 'send'>,
  jobQueue: string,
  jobStatus: JobStatus,
  deadline: Deadline | undefined,
): AsyncGenerator<JobSummary> {
  let nextToken: string | undefined
  do {
    const command = new ListJobsCommand({ jobQueue, jobStatus, ...(nextToken !== undefined && { nextToken }) })
    const page = await within(deadline, (how) => batch.send(command, how)).catch((error: unknown) => {
      throw backendError('ListJobs', error)
    })
    yield* page.jobSummaryList ?? []
    nextToken = page.nextToken
  } while (nextToken !== undefined)
}
