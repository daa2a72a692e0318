import { randomUUID } from 'node:crypto'
import {
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
  SubmitJobCommand,
  TerminateJobsCommand,
} from '@aws-sdk/client-batch'
import { parseJobName } from '../../lib/domain/job-name.ts'

/** What a job does, once it runs. */
export interface Fate {
  /** How long it runs; for ever by default. */
  readonly seconds?: number
  readonly exitCode?: number
  /** Its host is gone instead. */
  readonly isHostLost?: boolean
  /** How long it goes on once it is asked to stop; 2 by default. */
  readonly stopSeconds?: number
}

interface Options {
  /** By task and attempt, both from the job's name: `1-2` is the second attempt of task 1. */
  readonly fates: Readonly<Record<string, Fate>>
  readonly schedule: (seconds: number, work: () => Promise<unknown>) => void
  readonly now: () => number
  /** Gets every `Batch Job State Change`. */
  readonly onEvent: (event: unknown) => Promise<unknown>
  /** Whether jobs tell every state that they pass; otherwise only that they run, and that they have ended. */
  readonly tellsAll?: boolean
}

type Job = JobDetail & { jobId: string; jobName: string; readonly ref: string }

const isOver = ({ status }: Job) => status === 'SUCCEEDED' || status === 'FAILED'

/** AWS Batch without a body: jobs start after a second and end as the test says. `answer` is a client's `send`. */
export function createPretendBatch({ fates, schedule, now, onEvent, tellsAll = false }: Options) {
  const jobs: Job[] = []
  const byId = new Map<string, Job>()
  const submitted: string[] = []
  const terminated = new Set<string>()

  const change = (job: Job, patch: Partial<JobDetail>) => {
    if (isOver(job)) return Promise.resolve()
    Object.assign(job, patch)
    return onEvent(batchEvent(job, now()))
  }

  const submit = (jobName: string, input: object) => {
    const { taskId, attempt } = parseJobName(jobName) ?? { taskId: 0, attempt: 0 }
    const ref = `${taskId}-${attempt}`
    const job: Job = {
      jobArn: undefined,
      jobQueue: 'default',
      jobDefinition: 'default',
      ...input,
      jobId: randomUUID(),
      jobName,
      ref,
      status: 'SUBMITTED',
      startedAt: undefined,
      createdAt: now(),
    }
    jobs.push(job)
    byId.set(job.jobId, job)
    submitted.push(ref)
    const { seconds, exitCode = 0, isHostLost } = fates[ref] ?? {}
    if (tellsAll)
      for (const status of ['SUBMITTED', 'RUNNABLE', 'STARTING'] as const) schedule(0, () => change(job, { status }))
    schedule(1, () => change(job, { status: 'RUNNING', startedAt: now() }))
    if (seconds !== undefined)
      schedule(1 + seconds, () =>
        isHostLost
          ? change(job, { status: 'FAILED', statusReason: 'Host EC2 (instance i-1) terminated.', stoppedAt: now() })
          : change(job, {
              status: exitCode === 0 ? 'SUCCEEDED' : 'FAILED',
              statusReason: 'Essential container in task exited',
              container: { exitCode },
              stoppedAt: now(),
            }),
      )
    return { jobId: job.jobId, jobName }
  }

  const terminate = (jobId: string, statusReason: string) => {
    const job = byId.get(jobId)
    if (!job || isOver(job)) return
    terminated.add(job.ref)
    if (job.status !== 'RUNNING') schedule(0, () => change(job, { status: 'FAILED', isCancelled: true, statusReason }))
    else
      schedule(fates[job.ref]?.stopSeconds ?? 2, () =>
        change(job, {
          status: 'FAILED',
          isTerminated: true,
          statusReason,
          stoppedAt: now(),
          container: { exitCode: 143 },
        }),
      )
  }

  return {
    jobs,
    /** `task-attempt` of every job, in the order of their submission. */
    submitted,
    terminated,
    /** A job that nobody has submitted through Quench. */
    plant: (jobName: string) => submit(jobName, {}),
    answer: async (command: unknown): Promise<unknown> => {
      if (command instanceof SubmitJobCommand) return submit(command.input.jobName ?? '', command.input)
      if (command instanceof DescribeJobsCommand)
        return { jobs: structuredClone((command.input.jobs ?? []).flatMap((jobId) => byId.get(jobId) ?? [])) }
      if (command instanceof ListJobsCommand) {
        const { jobStatus, filters } = command.input
        const name = filters?.[0]?.values?.[0]
        return {
          jobSummaryList: jobs.filter((job) => (name === undefined ? job.status === jobStatus : job.jobName === name)),
        }
      }
      if (command instanceof TerminateJobsCommand) {
        for (const jobId of command.input.jobs ?? []) terminate(jobId, command.input.reason ?? '')
        return { successful: command.input.jobs, errors: [] }
      }
      throw new Error(`the pretended Batch does not answer ${(command as object).constructor.name}`)
    },
  }
}

/** Source: AWS Batch user guide, "AWS Batch job state change events". */
function batchEvent({ ref: _, ...detail }: Job, at: number) {
  return {
    version: '0',
    id: 'c8f9c4b5-76e5-d76a-f980-7011e206042b',
    'detail-type': 'Batch Job State Change',
    source: 'aws.batch',
    account: '111122223333',
    time: new Date(at).toISOString(),
    region: 'eu-west-1',
    resources: [`arn:aws:batch:eu-west-1:111122223333:job/${detail.jobId}`],
    detail: structuredClone(detail),
  }
}
