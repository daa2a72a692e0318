import {
  type BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  type JobSummary,
  ListJobsCommand,
  SubmitJobCommand,
  type SubmitJobCommandInput,
  TerminateJobsCommand,
  type TerminateJobsErrorDetail,
} from '@aws-sdk/client-batch'
import { BackendRejected, BackendUnavailable } from '../../domain/errors.ts'
import { backendError } from '../aws-errors.ts'
import { callInGroups } from '../call-in-groups.ts'
import type { CancelOutcome, Deadline, Executor, JobSpec, Observation, Packing } from '../executor.ts'
import { findEach } from '../find-each.ts'
import { type ContainmentOf, withContainment } from '../with-containment.ts'
import { within } from '../within.ts'
import { type BatchOptions, batchFacts } from './facts.ts'
import { type BatchHandle, jobIdOf } from './handle.ts'
import { listBatchJobs } from './list-jobs.ts'
import { logStreamOf, type ReadLogStream } from './log-stream.ts'
import { observeBatchJob } from './observe.ts'
import { asOneJob, packedTasks, terminationTargets } from './packing.ts'

/** Source: Batch user guide, "Service quotas": maximum payload size of SubmitJob. */
const maxPayloadKiB = 30
/** Source: API reference, JobTimeout: 60 s is the minimum; there is no default, so a job we forget would run for ever. */
const minTimeoutSeconds = 60
const defaultTimeoutSeconds = 24 * 3600
/** Source: API reference, DescribeJobs and TerminateJobs: ids a call. */
const describeIds = 100
const terminateIds = 50

/** A Batch client, or the region's stand-in. */
export interface BatchCalls {
  readonly batch: Pick<BatchClient, 'send'>
  /** For SubmitJob only: with the SDK's retries off, since a repeated SubmitJob is a second job. */
  readonly submitter: Pick<BatchClient, 'send'>
  /** Reads what jobs log. Default: logs are not read, and no client for them is loaded. */
  readonly readLogStream?: ReadLogStream
  /** Where to look for jobs that nobody waits for. Default: nowhere. */
  readonly jobQueues?: readonly string[]
  /** Only where Batch is a stand-in on this machine. */
  readonly containmentOf?: ContainmentOf
}

/**
 * Jobs on AWS Batch.
 *
 * SubmitJob has no client token: a submit that failed with `arrived: 'unknown'` is looked up with `find`, never repeated.
 * One verb stops a job in any state: TerminateJobs cancels what has not started and sends SIGTERM, and 30 s later
 * SIGKILL, to what has. The grace is the container's, so `mode` makes no difference. A pack is an array job: see
 * batch-packing.ts.
 * Source: API reference, TerminateJobs (50 ids, 200 on partial failure, what is not found counts as done).
 */
export function createBatchExecutor({
  batch,
  submitter,
  readLogStream,
  jobQueues = [],
  containmentOf,
}: BatchCalls): Executor {
  const submitJob = async (
    input: SubmitJobCommandInput,
    deadline: Deadline | undefined,
  ): Promise<{ jobId: string; jobQueue: string; name: string }> => {
    const sizeBytes = Buffer.byteLength(JSON.stringify(input))
    if (sizeBytes > maxPayloadKiB * 1024) {
      const kib = Math.ceil(sizeBytes / 1024)
      throw new BackendRejected(`the job is ${kib} KiB; SubmitJob takes ${maxPayloadKiB} KiB: pass large inputs by URI`)
    }
    const answer = await within(deadline, (how) => submitter.send(new SubmitJobCommand(input), how)).catch(
      fail('SubmitJob'),
    )
    if (!answer.jobId) throw new BackendUnavailable('SubmitJob: an answer without job id', { arrived: 'unknown' })
    return { jobId: answer.jobId, jobQueue: input.jobQueue ?? '', name: input.jobName ?? '' }
  }

  /** The newest job of a name. The filter leaves out children of array jobs. */
  const findNewest = async (
    name: string,
    jobQueue: string,
    deadline: Deadline | undefined,
  ): Promise<JobSummary | undefined> => {
    let newest: JobSummary | undefined
    let nextToken: string | undefined
    do {
      // The filter ignores case and takes 100 jobs a page; with it, jobs in any state are listed.
      const filters = [{ name: 'JOB_NAME', values: [name] }]
      const command = new ListJobsCommand({ jobQueue, filters, ...(nextToken ? { nextToken } : {}) })
      const page = await within(deadline, (how) => batch.send(command, how)).catch(fail('ListJobs'))
      for (const job of page.jobSummaryList ?? []) {
        if (job.jobName === name && (job.createdAt ?? 0) > (newest?.createdAt ?? -1)) newest = job
      }
      nextToken = page.nextToken
    } while (nextToken)
    return newest
  }

  const describe = async (
    jobs: readonly string[],
    deadline: Deadline | undefined,
  ): Promise<ReadonlyMap<string, JobDetail>> => {
    if (jobs.length === 0) return new Map()
    const command = new DescribeJobsCommand({ jobs: unique(jobs) })
    const answer = await within(deadline, (how) => batch.send(command, how)).catch(fail('DescribeJobs'))
    return new Map((answer.jobs ?? []).map((job) => [job.jobId ?? '', job]))
  }

  const find: Packing['find'] = async (jobs, name, deadline) => {
    const { jobQueue } = (jobs[0]?.options ?? {}) as BatchOptions
    const newest = await findNewest(name, jobQueue, deadline)
    if (!newest?.jobId) return jobs.map(() => undefined)
    const handle = { jobId: newest.jobId, jobQueue, name }
    const size = newest.arrayProperties?.size
    if (size === undefined) return jobs.map((job) => (job.name === name ? handle : undefined))
    // The job itself knows best for which tasks its children stand.
    const detail = (await describe([handle.jobId], deadline)).get(handle.jobId)
    const indexes = new Map(packedTasks(detail ?? {}).map((taskId, index) => [taskId, index]))
    return jobs.map(({ taskId }) => {
      const index = indexes.get(taskId)
      return index === undefined ? undefined : { ...handle, index, size }
    })
  }

  /** A child that Batch does not know may only not be there yet: its parent tells. */
  const observeGroup = async (
    jobIds: readonly string[],
    deadline: Deadline | undefined,
  ): Promise<readonly Observation[]> => {
    const known = await describe(jobIds, deadline)
    const strangers = jobIds.filter((jobId) => jobId.includes(':') && !known.has(jobId))
    const parents = await describe(strangers.map(parentOf), deadline)
    return jobIds.map((jobId) => {
      const detail = known.get(jobId)
      if (detail) return withContainment(observeBatchJob(detail), containmentOf?.(jobId))
      const parent = observeBatchJob(parents.get(parentOf(jobId)) ?? { status: 'SUCCEEDED' })
      return parent.state === 'queued' || parent.state === 'cancelled' ? parent : { state: 'lost' }
    })
  }

  const observe = (jobIds: readonly string[], deadline: Deadline | undefined): Promise<readonly Observation[]> =>
    callInGroups({
      items: jobIds,
      size: describeIds,
      deadline,
      call: (group) => observeGroup(group, deadline),
      failed: ({ code, message }) => ({
        state: 'unknown',
        failure: { code, message, retryable: true, source: 'batch' },
      }),
    })

  return {
    ...batchFacts,

    submit: (job, deadline) => submitJob(submission(job), deadline),
    find: (jobs, deadline) => findEach(jobs, async (job) => (await find([job], job.name, deadline))[0], deadline),

    packing: {
      ...batchFacts.packing,
      submit: async (jobs, name, deadline) => {
        const size = jobs.length
        const handle = await submitJob({ ...submission(asOneJob(jobs, name)), arrayProperties: { size } }, deadline)
        return jobs.map((_, index) => ({ ...handle, index, size }))
      },
      find,
    },

    poll: (handles, deadline) =>
      observe(
        handles.map((handle) => jobIdOf(handle as BatchHandle)),
        deadline,
      ),

    cancel: async (handles, { reason }, deadline) => {
      const perCall = { terminate: terminateIds, describe: describeIds }
      const targets = await terminationTargets(
        handles as readonly BatchHandle[],
        (jobIds) => observe(jobIds, deadline),
        perCall,
      )
      const jobIds = unique(targets)
      const outcomes = await callInGroups<string, CancelOutcome>({
        items: jobIds,
        size: terminateIds,
        deadline,
        call: async (jobs) => {
          const input = { jobs: [...jobs], reason: reason.slice(0, 1024) || 'cancelled' }
          const answer = await within(deadline, (how) => batch.send(new TerminateJobsCommand(input), how)).catch(
            fail('TerminateJobs'),
          )
          const errors = new Map((answer.errors ?? []).map((error) => [error.job, error]))
          return jobs.map((jobId) => outcomeOf(errors.get(jobId)))
        },
        failed: ({ message }) => ({ outcome: 'failed', message }),
      })
      const byJob = new Map(jobIds.map((jobId, at) => [jobId, outcomes[at] as CancelOutcome]))
      return targets.map((jobId) => byJob.get(jobId) as CancelOutcome)
    },

    ...(readLogStream && {
      readLog: async (handle, { stream, offset }, deadline) => {
        const nothing = { text: '', nextOffset: offset }
        // awslogs merges both streams.
        if (stream === 'stderr') return nothing
        const jobId = jobIdOf(handle as BatchHandle)
        const detail = (await describe([jobId], deadline)).get(jobId)
        if (!detail)
          throw new BackendRejected(`Batch has forgotten job ${jobId}, and with it the name of its log stream`)
        const logStream = logStreamOf(detail)
        if (!logStream) return nothing
        return within(deadline, () => readLogStream(logStream, offset)).catch(fail('GetLogEvents'))
      },
    }),

    listJobs: (deadline) => listBatchJobs(batch, jobQueues, deadline),
  }
}

/** The SubmitJob request of an attempt. Retries are ours, so Batch gets one attempt. */
function submission({
  name,
  options,
  environment,
  timeoutSeconds,
  dispatchId,
  taskId,
}: JobSpec): SubmitJobCommandInput {
  const { jobQueue, jobDefinition, command, vcpus, memoryMiB, gpus, ...own } = options as BatchOptions
  const resources = { VCPU: vcpus, MEMORY: memoryMiB, GPU: gpus }
  const resourceRequirements = Object.entries(resources)
    .filter(([, value]) => value !== undefined)
    .map(([type, value]) => ({ type: type as keyof typeof resources, value: String(value) }))
  return {
    jobName: name,
    jobQueue,
    jobDefinition,
    containerOverrides: {
      command,
      // Ours last: a task cannot make its processes look like another attempt's.
      environment: Object.entries({ ...own.environment, ...environment }).map(([key, value]) => ({ name: key, value })),
      ...(resourceRequirements.length > 0 ? { resourceRequirements } : {}),
    },
    timeout: { attemptDurationSeconds: Math.max(minTimeoutSeconds, timeoutSeconds ?? defaultTimeoutSeconds) },
    retryStrategy: { attempts: 1 },
    tags: { 'quench:dispatch': dispatchId, 'quench:task': String(taskId) },
    propagateTags: true,
  }
}

/** Source: API reference, TerminateJobsErrorDetail. Only a malformed id is hopeless; the rest is worth another call. */
function outcomeOf(error: TerminateJobsErrorDetail | undefined): CancelOutcome {
  if (!error) return { outcome: 'accepted' }
  const message = `${error.code}: ${error.message}`
  return { outcome: error.code === 'ValidationException' ? 'unknown' : 'failed', message }
}

const parentOf = (jobId: string): string => jobId.slice(0, jobId.lastIndexOf(':'))

const unique = (jobs: readonly string[]): string[] => [...new Set(jobs)]

const fail = (call: string) => (error: unknown) => {
  throw backendError(call, error)
}
