import { randomUUID } from 'node:crypto'
import type {
  ArrayPropertiesDetail,
  JobDetail,
  JobStatus,
  JobSummary,
  SubmitJobCommandInput,
} from '@aws-sdk/client-batch'
import type { HoldRecord } from '../containment/job-containment.ts'
import type { JobEnd } from '../processes/job-processes.ts'

/** A job of the local Batch, as its journal keeps it. */
export interface LocalJob extends HoldRecord {
  readonly jobId: string
  readonly createdAt: number
  readonly input: SubmitJobCommandInput
  /** Of a child of an array job, whose input is its parent's. */
  readonly arrayIndex?: number
  /** Of an array job. Their records are their own. */
  readonly children?: readonly LocalJob[]
  status: JobStatus
  startedAt?: number
  stoppedAt?: number
  statusReason?: string
  exitCode?: number
  isCancelled?: boolean
  isTerminated?: boolean
  /** When its main process got SIGTERM: from here on its end is ours, not its own. */
  signalledAt?: number
  /** The server that ran it killed it at shutdown. */
  isHostLost?: boolean
}

/** The shape that EventBridge delivers. */
export interface BatchJobEvent {
  readonly version: '0'
  readonly id: string
  readonly 'detail-type': 'Batch Job State Change'
  readonly source: 'aws.batch'
  readonly account: string
  readonly time: string
  readonly region: string
  readonly resources: readonly string[]
  readonly detail: JobDetail
}

export const timedOut = 'Job attempt duration exceeded timeout'
const hostLost = 'Host EC2 (instance local) terminated.'
const containerExited = 'Essential container in task exited'

const region = 'local-1'
const account = '000000000000'

/** Source: user guide, "Job states". */
const states = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const

export const isEnded = ({ status }: LocalJob): boolean => status === 'SUCCEEDED' || status === 'FAILED'

export const vcpusOf = ({ input }: LocalJob): number =>
  Number(input.containerOverrides?.resourceRequirements?.find(({ type }) => type === 'VCPU')?.value ?? 1)

export const jobArn = (jobId: string): string => arn('job', jobId)

/**
 * What the end of its processes makes of a job. Without our signal the end is its own, however late a request to stop it
 * came.
 */
export function endOfJob(job: LocalJob, end: JobEnd, now: number): Partial<LocalJob> {
  const { startFailure, quiet } = end
  // What its server has killed at shutdown has not failed by itself.
  const exitCode = job.isHostLost && end.exitCode !== 0 ? undefined : end.exitCode
  const wasStopped = job.signalledAt !== undefined
  const isLost = exitCode === undefined
  const ownReason = startFailure ? `Task failed to start: ${startFailure}` : isLost ? hostLost : containerExited
  const isOurs = wasStopped || (isLost && job.isTerminated === true)
  return {
    status: exitCode === 0 && !wasStopped ? 'SUCCEEDED' : 'FAILED',
    stoppedAt: Math.max(now, job.startedAt ?? 0),
    statusReason: isOurs ? (job.statusReason ?? ownReason) : ownReason,
    isTerminated: isOurs && job.isTerminated === true,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(quiet && { quiet: { ...quiet, at: now } }),
  }
}

export function describeJob(job: LocalJob): JobDetail {
  const { input, jobId, createdAt, status } = job
  const { containerOverrides, timeout } = input
  const logStreamName = `${input.jobDefinition}/default/${jobId}`
  const times = { startedAt: job.startedAt, ...(job.stoppedAt === undefined ? {} : { stoppedAt: job.stoppedAt }) }
  const exit = job.exitCode === undefined ? {} : { exitCode: job.exitCode }
  const why = job.statusReason === undefined ? {} : { statusReason: job.statusReason }
  const arrayProperties = arrayPropertiesOf(job)
  const hasRun = job.startedAt !== undefined && job.stoppedAt !== undefined
  return {
    jobArn: jobArn(jobId),
    jobName: input.jobName,
    jobId,
    jobQueue: arn('job-queue', input.jobQueue ?? ''),
    status,
    ...why,
    attempts: hasRun ? [{ ...times, ...why, container: { ...exit, logStreamName, networkInterfaces: [] } }] : [],
    createdAt,
    ...times,
    retryStrategy: { attempts: 1, evaluateOnExit: [] },
    dependsOn: [],
    jobDefinition: arn('job-definition', `${input.jobDefinition}:1`),
    parameters: input.parameters ?? {},
    container: {
      image: 'local',
      command: containerOverrides?.command ?? [],
      environment: containerOverrides?.environment ?? [],
      resourceRequirements: containerOverrides?.resourceRequirements ?? [],
      ...(job.startedAt === undefined ? {} : { logStreamName }),
      ...exit,
    },
    ...(timeout ? { timeout } : {}),
    tags: input.tags ?? {},
    propagateTags: input.propagateTags ?? false,
    ...(arrayProperties ? { arrayProperties } : {}),
    platformCapabilities: ['EC2'],
    ...(job.isCancelled ? { isCancelled: true } : {}),
    ...(job.isTerminated ? { isTerminated: true } : {}),
  }
}

/** Source: API reference, ArrayPropertiesDetail. */
function arrayPropertiesOf({ arrayIndex, children }: LocalJob): ArrayPropertiesDetail | undefined {
  if (arrayIndex !== undefined) return { index: arrayIndex }
  if (!children) return undefined
  const statusSummary = Object.fromEntries(states.map((status) => [status, 0]))
  for (const { status } of children) statusSummary[status] = (statusSummary[status] ?? 0) + 1
  return { size: children.length, statusSummary }
}

export function summariseJob(job: LocalJob): JobSummary {
  const { jobArn, jobId, jobName, createdAt, status, statusReason, startedAt, stoppedAt, jobDefinition, ...detail } =
    describeJob(job)
  const { container, arrayProperties } = detail
  const more = {
    ...(container?.exitCode === undefined ? {} : { container: { exitCode: container.exitCode } }),
    ...(arrayProperties ? { arrayProperties } : {}),
  }
  return { jobArn, jobId, jobName, createdAt, status, statusReason, startedAt, stoppedAt, jobDefinition, ...more }
}

/** Source: Batch user guide, "Job state change events"; the detail resembles JobDetail. */
export function jobEvent(job: LocalJob, now: number): BatchJobEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Batch Job State Change',
    source: 'aws.batch',
    account,
    time: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [jobArn(job.jobId)],
    detail: describeJob(job),
  }
}

function arn(type: string, name: string): string {
  return name.startsWith('arn:') ? name : `arn:aws:batch:${region}:${account}:${type}/${name}`
}
