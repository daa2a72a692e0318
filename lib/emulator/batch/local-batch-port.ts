import type { BatchClient } from '@aws-sdk/client-batch'
import type { JobContainment } from '../containment/job-containment.ts'
import type { Ladder } from '../containment/ladder.ts'
import type { Faults } from '../faults.ts'
import type { ProcessIdentity } from '../processes/process-tree.ts'
import type { BatchJobEvent } from './local-batch-job.ts'

export interface LocalBatchOptions {
  /** Journal, logs and the jobs' folders; what a restart needs. One server at a time. */
  readonly directory: string
  /** What all running jobs together may ask for. */
  readonly vcpus: number
  /** Put into every job's environment, and stronger than what the job says. */
  readonly environment?: Readonly<Record<string, string>>
  /** From SIGTERM to SIGKILL. Default 30, as on ECS. */
  readonly stopTimeoutSeconds?: number
  /** Where jobs run. Default: each in a folder of its own. */
  readonly workingDirectory?: string
  /** Besides `default`. */
  readonly jobQueues?: readonly string[]
  readonly jobDefinitions?: readonly string[]
  /** Gets every `Batch Job State Change`. */
  readonly onEvent?: (event: BatchJobEvent) => void
  readonly faults?: Faults
  /** What holds the jobs' processes together. Default: one of its own, of all that this machine has. */
  readonly ladder?: Ladder
  /** Epoch milliseconds. */
  readonly now?: () => number
}

export interface LocalBatch {
  /** Answers SubmitJob, DescribeJobs, ListJobs and TerminateJobs as a `BatchClient` does. */
  readonly send: BatchClient['send']
  /** Take up the jobs that the last server on this directory left. Before it, and after `close`, calls are refused. */
  start(): Promise<void>
  /**
   * Stop answering. With `detachJobs`, jobs run on and the next start takes them up; without, every process of every
   * job is killed and gone when this resolves, and the next start finds their host lost.
   */
  close(options: { readonly detachJobs: boolean }): Promise<void>
  /**
   * SIGKILL to what runs as far as that goes without waiting, for whoever leaves at once. Answers the keepers that do it:
   * they must live on, and end by themselves.
   */
  killNow(): readonly ProcessIdentity[]
  /** Of a job that was started; undefined for others. */
  containmentOf(jobId: string): JobContainment | undefined
}
