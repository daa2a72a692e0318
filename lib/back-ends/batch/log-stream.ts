import type { JobDetail } from '@aws-sdk/client-batch'
import { BackendRejected } from '../../domain/errors.ts'
import type { LogPart } from '../executor.ts'

export interface LogStream {
  readonly logGroupName: string
  readonly logStreamName: string
}

/** Reads a piece of a log stream from a byte offset on (`batch-log.ts`). */
export type ReadLogStream = (stream: LogStream, offset: number) => Promise<LogPart>

/**
 * Where a job's container logs to; undefined before it has started.
 *
 * Errors: BackendRejected where it logs elsewhere. Source: Batch user guide, "Use the awslogs log driver": the group is
 * `/aws/batch/job` unless the job definition names one.
 */
export function logStreamOf({ container }: Pick<JobDetail, 'container'>): LogStream | undefined {
  const { logStreamName, logConfiguration: { logDriver = 'awslogs', options = {} } = {} } = container ?? {}
  if (logDriver !== 'awslogs') throw new BackendRejected(`the job logs to ${logDriver}, not to CloudWatch Logs`)
  if (logStreamName === undefined) return undefined
  return { logGroupName: options['awslogs-group'] ?? '/aws/batch/job', logStreamName }
}
