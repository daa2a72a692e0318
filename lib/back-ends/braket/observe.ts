import type { JobEventDetails } from '@aws-sdk/client-braket'
import type { Failure } from '../../domain/failure.ts'
import type { Observation } from '../executor.ts'

/** What of a quantum task tells its state: fields of `GetQuantumTask`, and of the detail of its events. */
export interface QuantumTaskState {
  readonly status: string | undefined
  readonly failureReason?: string | undefined
  readonly endedAt?: Date | string | undefined
}

/** The same of a hybrid job; `events` come from `GetJob` only. */
export interface HybridJobState extends QuantumTaskState {
  readonly startedAt?: Date | string | undefined
  readonly events?: readonly JobEventDetails[] | undefined
}

const noReason = 'Braket gave no reason'

/**
 * What Braket says about a quantum task, in our words. Pure.
 *
 * Braket tells neither when a task began to run nor an exit code, so neither do we.
 * Source: Braket API reference, GetQuantumTask: CREATED, QUEUED, RUNNING, COMPLETED, FAILED, CANCELLING, CANCELLED.
 */
export function observeQuantumTask({ status, failureReason, endedAt }: QuantumTaskState): Observation {
  switch (status) {
    case 'CREATED':
    case 'QUEUED':
      return { state: 'queued' }
    case 'CANCELLING':
      // Says nothing about whether it has run: one that was seen to run stays so, and one that was cancelled while it
      // waited owes nothing.
      return { state: 'queued' }
    case 'RUNNING':
      return { state: 'running' }
    case 'COMPLETED':
      return { state: 'succeeded', ...instant('endedAt', endedAt) }
    case 'CANCELLED':
      return { state: 'cancelled', ...instant('endedAt', endedAt) }
    case 'FAILED':
      return {
        state: 'failed',
        ...instant('endedAt', endedAt),
        failure: { code: 'TaskFailed', message: failureReason || noReason, retryable: false, source: 'braket' },
      }
    default:
      return unheardOf(status, 'braket')
  }
}

/**
 * What Braket says about a hybrid job, in our words. Pure.
 *
 * A job that was stopped for its run time is a failure of its own, whatever state Braket files it under.
 * Source: Braket API reference, GetJob (QUEUED, RUNNING, COMPLETED, FAILED, CANCELLING, CANCELLED) and JobEventDetails.
 */
export function observeHybridJob(job: HybridJobState): Observation {
  const times = { ...instant('startedAt', job.startedAt), ...instant('endedAt', job.endedAt) }
  switch (job.status) {
    case 'QUEUED':
      return { state: 'queued' }
    case 'RUNNING':
      return { state: 'running', ...instant('startedAt', job.startedAt) }
    case 'CANCELLING':
      // One that is cancelled while it waits has not run.
      if (job.startedAt === undefined) return { state: 'queued' }
      return { state: 'running', ...instant('startedAt', job.startedAt) }
    case 'COMPLETED':
      return { state: 'succeeded', ...times }
    case 'CANCELLED':
      if (!hasOverrun(job)) return { state: 'cancelled', ...times }
      return { state: 'failed', ...times, failure: failureOf(job) }
    case 'FAILED': {
      const exitCode = exitCodeOf(job)
      return { state: 'failed', ...times, ...(exitCode !== undefined && { exitCode }), failure: failureOf(job) }
    }
    default:
      return unheardOf(job.status, 'braket-job')
  }
}

const hasOverrun = ({ events }: HybridJobState): boolean =>
  events?.some(({ eventType }) => eventType === 'MAX_RUNTIME_EXCEEDED') === true

/** A hybrid job is a training job to SageMaker: `AlgorithmError: …, exit code: 3`. */
function exitCodeOf({ failureReason = '' }: HybridJobState): number | undefined {
  const [, code] = /exit code:? (\d+)/i.exec(failureReason) ?? []
  return code === undefined ? undefined : Number(code)
}

/** Source: SageMaker API reference, DescribeTrainingJob, FailureReason: what is not an AlgorithmError is not the job's. */
function failureOf(job: HybridJobState): Failure {
  const message = job.failureReason || noReason
  const failure = (code: string, retryable: boolean): Failure => ({ code, message, retryable, source: 'braket-job' })
  if (hasOverrun(job)) return { ...failure('TimedOut', false), message: job.failureReason || 'Max runtime exceeded' }
  if (message.startsWith('CapacityError')) return failure('StartFailed', true)
  if (message.startsWith('InternalServerError')) return failure('HostLost', true)
  return failure(exitCodeOf(job) === undefined ? 'JobFailed' : 'NonZeroExit', false)
}

/** A state that was added after this was written: nothing may be concluded from it. */
function unheardOf(status: string | undefined, source: string): Observation {
  const message = `Braket said ${status}, which we do not know`
  return { state: 'unknown', failure: { code: 'UnknownState', message, retryable: true, source } }
}

function instant<Key extends string>(key: Key, at: Date | string | undefined): { [key in Key]?: number } {
  return at === undefined ? {} : ({ [key]: new Date(at).getTime() } as { [key in Key]?: number })
}
