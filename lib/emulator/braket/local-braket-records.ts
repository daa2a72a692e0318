import { randomUUID } from 'node:crypto'
import {
  type CreateJobCommandInput,
  type CreateQuantumTaskCommandInput,
  type GetJobCommandOutput,
  type GetQuantumTaskCommandOutput,
  type JobEventType,
  type JobPrimaryStatus,
  type JobSummary,
  type QuantumTaskStatus,
  type QuantumTaskSummary,
  ResourceNotFoundException,
  type SearchJobsFilter,
  type SearchQuantumTasksFilter,
} from '@aws-sdk/client-braket'
import type { HoldRecord } from '../containment/job-containment.ts'

/** What every resource of the local Braket has; `jobId` is its key in the journal, and the end of its ARN. */
interface LocalResource {
  readonly jobId: string
  readonly createdAt: number
  startedAt?: number
  endedAt?: number
  failureReason?: string
}

/** A quantum task of the local Braket, as its journal keeps it. */
export interface LocalTask extends LocalResource {
  readonly input: CreateQuantumTaskCommandInput
  status: QuantumTaskStatus
}

/** A hybrid job, likewise. */
export interface LocalHybridJob extends LocalResource, HoldRecord {
  readonly input: CreateJobCommandInput
  status: JobPrimaryStatus
  events: { readonly eventType: JobEventType; readonly at: number }[]
  /** When its main process got SIGTERM: from here on its end is ours, not its own. */
  signalledAt?: number
  /** The server that ran it killed it at shutdown. */
  isHostLost?: boolean
}

/** The shape that EventBridge delivers. Source: Braket developer guide, "Example Amazon Braket EventBridge event". */
export interface BraketEvent {
  readonly version: '0'
  readonly id: string
  readonly 'detail-type': 'Braket Task State Change' | 'Braket Job State Change'
  readonly source: 'aws.braket'
  readonly account: string
  readonly time: string
  readonly region: string
  readonly resources: readonly string[]
  readonly detail: Readonly<Record<string, string>>
}

const region = 'local-1'
const account = '000000000000'

export const isEnded = ({ status }: LocalTask | LocalHybridJob): boolean =>
  status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED'

export const taskArn = ({ jobId }: LocalTask): string => `arn:aws:braket:${region}:${account}:quantum-task/${jobId}`
export const hybridJobArn = ({ jobId }: LocalHybridJob): string => `arn:aws:braket:${region}:${account}:job/${jobId}`

/** The resource behind an ARN. */
export function resourceOf<Resource>(resources: ReadonlyMap<string, Resource>, arn: string | undefined): Resource {
  const found = resources.get(arn?.slice(arn.lastIndexOf('/') + 1) ?? '')
  if (found) return found
  throw new ResourceNotFoundException({ message: `${arn} does not exist`, $metadata: { httpStatusCode: 404 } })
}

export const outputDirectory = ({ input, jobId }: LocalTask): string => `${input.outputS3KeyPrefix}/${jobId}`

export function summariseTask(task: LocalTask): QuantumTaskSummary {
  const { input, status, createdAt, endedAt } = task
  return {
    quantumTaskArn: taskArn(task),
    status,
    deviceArn: input.deviceArn,
    shots: input.shots,
    outputS3Bucket: input.outputS3Bucket,
    outputS3Directory: outputDirectory(task),
    createdAt: new Date(createdAt),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt) }),
    tags: input.tags ?? {},
  }
}

export function describeTask(task: LocalTask): Omit<GetQuantumTaskCommandOutput, '$metadata'> {
  const { input, status, failureReason } = task
  return {
    ...summariseTask(task),
    deviceParameters: String(input.deviceParameters ?? '{}'),
    ...(status === 'COMPLETED' && { numSuccessfulShots: input.shots }),
    ...(failureReason !== undefined && { failureReason }),
  } as Omit<GetQuantumTaskCommandOutput, '$metadata'>
}

export function summariseHybridJob(job: LocalHybridJob): JobSummary {
  const { input, status, createdAt, startedAt, endedAt } = job
  return {
    jobArn: hybridJobArn(job),
    jobName: input.jobName,
    status,
    device: input.deviceConfig?.device,
    createdAt: new Date(createdAt),
    ...(startedAt !== undefined && { startedAt: new Date(startedAt) }),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt) }),
    tags: input.tags ?? {},
  }
}

export function describeHybridJob(job: LocalHybridJob): Omit<GetJobCommandOutput, '$metadata'> {
  const { input, events, failureReason } = job
  const { device: _, ...summary } = summariseHybridJob(job)
  return {
    ...summary,
    roleArn: input.roleArn,
    algorithmSpecification: input.algorithmSpecification,
    instanceConfig: input.instanceConfig,
    outputDataConfig: input.outputDataConfig,
    deviceConfig: input.deviceConfig,
    hyperParameters: input.hyperParameters ?? {},
    inputDataConfig: input.inputDataConfig ?? [],
    ...(input.stoppingCondition && { stoppingCondition: input.stoppingCondition }),
    events: events.map(({ eventType, at }) => ({ eventType, timeOfEvent: new Date(at) })),
    ...(failureReason !== undefined && { failureReason }),
  }
}

export function taskEvent(task: LocalTask, now: number): BraketEvent {
  const { input, status, createdAt, endedAt } = task
  return braketEvent('Braket Task State Change', taskArn(task), now, {
    quantumTaskArn: taskArn(task),
    status,
    deviceArn: input.deviceArn ?? '',
    shots: String(input.shots),
    outputS3Bucket: input.outputS3Bucket ?? '',
    outputS3Directory: outputDirectory(task),
    createdAt: iso(createdAt),
    eventName: status === 'CREATED' ? 'INSERT' : 'MODIFY',
    ...(endedAt !== undefined && { endedAt: iso(endedAt) }),
  })
}

/** The detail of this event is not documented: what public rules read from it, and the name. */
export function hybridJobEvent(job: LocalHybridJob, now: number): BraketEvent {
  const { input, status, startedAt, endedAt } = job
  return braketEvent('Braket Job State Change', hybridJobArn(job), now, {
    jobArn: hybridJobArn(job),
    jobName: input.jobName ?? '',
    status,
    ...(startedAt !== undefined && { startedAt: iso(startedAt) }),
    ...(endedAt !== undefined && { endedAt: iso(endedAt) }),
  })
}

function braketEvent(
  type: BraketEvent['detail-type'],
  arn: string,
  now: number,
  detail: BraketEvent['detail'],
): BraketEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': type,
    source: 'aws.braket',
    account,
    time: iso(now).replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [arn],
    detail,
  }
}

const iso = (at: number): string => new Date(at).toISOString()

/** Does a summary pass all filters? Values are compared as text, which for instants of one form is their order. */
export function passes(
  fields: Readonly<Record<string, string | undefined>>,
  filters: readonly (SearchQuantumTasksFilter | SearchJobsFilter)[] = [],
): boolean {
  return filters.every(({ name = '', operator, values = [] }) => {
    const field = fields[name] ?? ''
    const [first = '', second = ''] = values
    switch (operator) {
      case 'EQUAL':
        return values.includes(field)
      case 'CONTAINS':
        return values.some((value) => field.includes(value))
      case 'LT':
        return field < first
      case 'LTE':
        return field <= first
      case 'GT':
        return field > first
      case 'GTE':
        return field >= first
      case 'BETWEEN':
        return field >= first && field <= second
      default:
        return false
    }
  })
}

/** One page, the newest first. */
export function pageOf<Resource extends LocalResource>(
  found: readonly Resource[],
  { maxResults = 100, nextToken }: { maxResults?: number | undefined; nextToken?: string | undefined },
): { readonly page: readonly Resource[]; readonly nextToken?: string } {
  const from = Number(nextToken ?? 0)
  const to = from + maxResults
  const page = found.toReversed().sort((a, b) => b.createdAt - a.createdAt)
  return { page: page.slice(from, to), ...(to < page.length && { nextToken: String(to) }) }
}
