import { mkdir } from 'node:fs/promises'
import {
  type BraketClient,
  CancelJobCommand,
  CancelQuantumTaskCommand,
  CreateJobCommand,
  CreateQuantumTaskCommand,
  GetJobCommand,
  GetQuantumTaskCommand,
  SearchJobsCommand,
  SearchQuantumTasksCommand,
} from '@aws-sdk/client-braket'
import type { JobContainment } from '../containment/job-containment.ts'
import { findLadder, type Ladder } from '../containment/ladder.ts'
import { serverIdOf } from '../containment/server-id.ts'
import { createFaults, type Faults } from '../faults.ts'
import type { ProcessIdentity } from '../processes/process-tree.ts'
import { createLocalHybridJobs } from './local-braket-jobs.ts'
import type { BraketEvent } from './local-braket-records.ts'
import { createLocalTasks } from './local-braket-tasks.ts'

export interface LocalBraketOptions {
  /** Journals, output buckets (`s3/<bucket>`), logs and folders of hybrid jobs. One server at a time. */
  readonly directory: string
  /** How long a task or hybrid job waits at its device, at least: a number for all, or by the device's ARN. Default 0. */
  readonly queueSeconds?: number | ((deviceArn: string) => number)
  /** Circuits that are simulated at the same time. Default 2. */
  readonly concurrency?: number
  /** Put into every hybrid job's environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** From SIGTERM to SIGKILL for a hybrid job. Default 30. */
  readonly stopTimeoutSeconds?: number
  /** Gets every `Braket Task State Change` and `Braket Job State Change`. */
  readonly onEvent?: (event: BraketEvent) => void
  readonly faults?: Faults
  /** What holds the hybrid jobs' processes together. Default: one of its own, of all that this machine has. */
  readonly ladder?: Ladder
  /** Epoch milliseconds. */
  readonly now?: () => number
}

export interface LocalBraket {
  /** Answers Create, Get, Search and Cancel of quantum tasks and of hybrid jobs as a `BraketClient` does. */
  readonly send: BraketClient['send']
  /** Circuits that are simulated right now. */
  countSimulations(): number
  /** Take up what the last server on this directory left. Before it, and after `close`, calls are refused. */
  start(): Promise<void>
  /**
   * Stop answering. Simulations end here and are run again by the next start; hybrid jobs run on with `detachJobs`, and
   * without it are killed and gone when this resolves.
   */
  close(options: { readonly detachJobs: boolean }): Promise<void>
  /**
   * SIGKILL to what runs as far as that goes without waiting, for whoever leaves at once. Answers the keepers that do it:
   * they must live on, and end by themselves.
   */
  killNow(): readonly ProcessIdentity[]
  /** Of a hybrid job that was started, by its ARN; undefined for others. */
  containmentOf(arn: string): JobContainment | undefined
}

/**
 * Amazon Braket on one machine: devices that simulate, and hybrid jobs that are processes.
 *
 * Every device ARN is answered by the same noiseless simulator, whatever the machine is that it names. Results go to a
 * folder that stands for the bucket, and to the file that the tag `quench:result` (a hybrid job: the hyperparameter
 * QUENCH_RESULT) names. The tag `quench:seed` makes the shots the same every time.
 */
export function createLocalBraket(options: LocalBraketOptions): LocalBraket {
  const { directory, queueSeconds = 0, onEvent, faults = createFaults(), now = Date.now } = options
  const shared = {
    directory,
    queueSeconds: typeof queueSeconds === 'number' ? () => queueSeconds : queueSeconds,
    tell: (event: BraketEvent) => onEvent?.(event),
    now,
  }
  let ladder: Ladder | undefined
  const tasks = createLocalTasks({ ...shared, concurrency: options.concurrency ?? 2 })
  const jobs = createLocalHybridJobs({
    ...shared,
    environment: options.environment ?? {},
    stopTimeoutSeconds: options.stopTimeoutSeconds ?? 30,
    ladder: () => ladder as Ladder,
  })
  let isRunning = false

  const send = async (command: { readonly input: unknown }) => {
    const answer = <Answer extends object>(name: string, effect: () => Answer | Promise<Answer>) => {
      return faults.around(name, async () => ({ ...(await effect()), $metadata: { httpStatusCode: 200 } }))
    }
    if (!isRunning) throw Object.assign(new Error('the local Braket is not running'), { code: 'ECONNREFUSED' })
    if (command instanceof CreateQuantumTaskCommand)
      return answer('CreateQuantumTask', () => tasks.create(command.input))
    if (command instanceof GetQuantumTaskCommand) return answer('GetQuantumTask', () => tasks.get(command.input))
    if (command instanceof SearchQuantumTasksCommand) {
      return answer('SearchQuantumTasks', () => tasks.search(command.input))
    }
    if (command instanceof CancelQuantumTaskCommand)
      return answer('CancelQuantumTask', () => tasks.cancel(command.input))
    if (command instanceof CreateJobCommand) return answer('CreateJob', () => jobs.create(command.input))
    if (command instanceof GetJobCommand) return answer('GetJob', () => jobs.get(command.input))
    if (command instanceof SearchJobsCommand) return answer('SearchJobs', () => jobs.search(command.input))
    if (command instanceof CancelJobCommand) return answer('CancelJob', () => jobs.cancel(command.input))
    throw new Error(`the local Braket does not answer ${command.constructor.name}`)
  }

  return {
    send: send as unknown as BraketClient['send'],
    countSimulations: tasks.countRunning,
    start: async () => {
      await mkdir(directory, { recursive: true })
      ladder = options.ladder ?? (await findLadder({ serverId: serverIdOf(directory) }))
      await Promise.all([tasks.start(), jobs.start()])
      isRunning = true
    },
    close: async (how) => {
      isRunning = false
      await Promise.all([tasks.close(), jobs.close(how)])
      if (!options.ladder) await ladder?.close()
    },
    killNow: jobs.killNow,
    containmentOf: jobs.containmentOf,
  }
}
