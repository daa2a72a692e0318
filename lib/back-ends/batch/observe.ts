import type { AttemptDetail, JobDetail } from '@aws-sdk/client-batch'
import type { Failure } from '../../domain/failure.ts'
import type { Observation } from '../executor.ts'

/** What of a `JobDetail` tells its state; the `detail` of a `Batch Job State Change` event has the same fields. */
export type BatchJobState = Pick<
  Partial<JobDetail>,
  'status' | 'statusReason' | 'startedAt' | 'stoppedAt' | 'isCancelled' | 'isTerminated' | 'attempts' | 'container'
>

/** Source: Batch user guide, "Job timeouts"; the text is what DescribeJobs returns for such a job. */
const timedOut = 'Job attempt duration exceeded timeout'

/**
 * What Batch says about a job, in our words. Pure; also reads the detail of a `Batch Job State Change` event.
 *
 * Batch has no cancelled state: such a job is FAILED with `isCancelled` or `isTerminated` set. SUCCEEDED with a mark is
 * a job that was faster than its cancel, and stays succeeded.
 */
export function observeBatchJob(detail: BatchJobState): Observation {
  const attempt = detail.attempts?.at(-1)
  const startedAt = detail.startedAt ?? attempt?.startedAt
  const started = startedAt === undefined ? {} : { startedAt }
  switch (detail.status) {
    case 'RUNNING':
      return { state: 'running', ...started }
    case 'SUCCEEDED':
      return { state: 'succeeded', ...started, ...endOf(detail, attempt) }
    case 'FAILED': {
      const end = { ...started, ...endOf(detail, attempt) }
      const stopped = detail.isCancelled === true || detail.isTerminated === true
      if (stopped && detail.statusReason !== timedOut) return { state: 'cancelled', ...end }
      return { state: 'failed', ...end, failure: failureOf(detail, attempt) }
    }
    default:
      // SUBMITTED, PENDING, RUNNABLE, STARTING. A parent of an array job is PENDING while its children run.
      return { state: 'queued' }
  }
}

function endOf(detail: BatchJobState, attempt: AttemptDetail | undefined) {
  const endedAt = detail.stoppedAt ?? attempt?.stoppedAt
  const what = `Batch: ${[detail.status, detail.statusReason].filter(Boolean).join(', ')}`
  const evidence = endedAt === undefined ? {} : { evidence: { what, at: endedAt, clock: 'aws' } }
  const exitCode = detail.container?.exitCode ?? attempt?.container?.exitCode
  return { ...(endedAt === undefined ? {} : { endedAt }), ...(exitCode === undefined ? {} : { exitCode }), ...evidence }
}

/**
 * Host loss is what Batch's own retry strategies match with `onStatusReason: Host EC2*` (spot reclaim, terminated
 * instance) and `Task failed to start`. Source: Batch user guide, "Automated job retries".
 */
function failureOf(detail: BatchJobState, attempt: AttemptDetail | undefined): Failure {
  const statusReason = detail.statusReason ?? attempt?.statusReason ?? ''
  const containerReason = detail.container?.reason ?? attempt?.container?.reason ?? ''
  const exitCode = detail.container?.exitCode ?? attempt?.container?.exitCode
  const failure = (code: string, retryable: boolean): Failure => {
    const exit = exitCode === undefined ? '' : `exit code ${exitCode}`
    const message = [statusReason, containerReason, exit].filter((part) => part !== '').join('; ')
    return { code, message: message || 'Batch gave no reason', retryable, source: 'batch' }
  }
  if (statusReason === timedOut) return failure('TimedOut', false)
  if (statusReason.startsWith('Host EC2')) return failure('HostLost', true)
  if (statusReason.startsWith('Task failed to start')) return failure('StartFailed', true)
  if (containerReason.startsWith('OutOfMemoryError')) return failure('OutOfMemory', false)
  return failure(exitCode === undefined ? 'JobFailed' : 'NonZeroExit', false)
}
