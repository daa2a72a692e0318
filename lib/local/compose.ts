import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { noteJobNews } from '../app/act/note-job-news.ts'
import type { Context } from '../app/context.ts'
import { createChildDispatches } from '../app/submit/child-dispatches.ts'
import { systemDeadline } from '../app/system-deadline.ts'
import { createBatchExecutor } from '../back-ends/batch/executor.ts'
import { createLogReader } from '../back-ends/batch/log.ts'
import { createBraketTaskExecutor } from '../back-ends/braket/executor.ts'
import { createBraketJobExecutor } from '../back-ends/braket-job/executor.ts'
import type { Executor } from '../back-ends/executor.ts'
import type { Prices } from '../back-ends/prices.ts'
import { chunks, createPriceOf } from '../back-ends/registry.ts'
import { createSlurmExecutor } from '../back-ends/slurm/executor.ts'
import { createSshExecutor } from '../back-ends/ssh/executor.ts'
import { createSublatticeExecutor } from '../back-ends/sublattice/executor.ts'
import { defaultPolicy, type Policy } from '../domain/turn/policy.ts'
import { createLocalBatch } from '../emulator/batch/local-batch.ts'
import type { BatchJobEvent } from '../emulator/batch/local-batch-job.ts'
import { createLocalBraket } from '../emulator/braket/local-braket.ts'
import type { BraketEvent } from '../emulator/braket/local-braket-records.ts'
import type { Containment } from '../emulator/containment/containments.ts'
import { findLadder } from '../emulator/containment/ladder.ts'
import { DatabaseUnusable } from '../emulator/dynamo/database-unusable.ts'
import { startLocalDynamo } from '../emulator/dynamo/local-dynamo.ts'
import { createFaults, type Faults } from '../emulator/faults.ts'
import { createLocalLogs } from '../emulator/logs/local-logs.ts'
import { findProcesses, killProcesses, killProcessesNow } from '../emulator/processes/process-tree.ts'
import { createLocalRunCommand } from '../emulator/run-command/local-run-command.ts'
import { createDynamoStore } from '../store/dynamo/dynamo.ts'
import { createDynamoBulks } from '../store/dynamo/dynamo-bulks.ts'
import { createLocalBulkRunner } from './bulk-runner.ts'
import { databaseProblem } from './database-problem.ts'
import { gather } from './gather.ts'
import { readHeldNews } from './held-news.ts'
import { lockFolder } from './lock-folder.ts'
import { createLocalExecutions } from './loop.ts'
import { localResultFiles, readText } from './result-files.ts'
import { readServerId } from './server-id.ts'

export interface LocalOptions {
  /** Everything that the server keeps; one server at a time. */
  readonly directory: string
  /** What running Batch jobs may use together. */
  readonly vcpus: number
  /** Names of the SSH hosts. */
  readonly hosts: readonly string[]
  /** From SIGTERM to SIGKILL for a Batch job, as ECS_CONTAINER_STOP_TIMEOUT. */
  readonly stopTimeoutSeconds: number
  /** How Batch and hybrid jobs may be held together; the best that this machine has is taken. Default: see `findLadder`. */
  readonly containments?: readonly Containment[]
  /** Where Batch jobs run. Default: each in a folder of its own. */
  readonly workingDirectory?: string
  /** How long a Braket device lets tasks wait. Default 0. */
  readonly queueSeconds?: number
  /** Offer the Slurm of this machine as the cluster `local`: sbatch must be on the PATH and answer. */
  readonly slurm?: boolean
  /** What jobs here are to cost. Without it no price is known: nobody bills for what runs on this machine. */
  readonly prices?: Prices
  readonly policy?: Partial<Policy>
  readonly faults?: Faults
  /** One line of JSON a decision; none by default. */
  readonly log?: Context['log']
}

export interface Local {
  readonly context: Context
  readonly faults: Faults
  /** Take up the jobs and the open dispatches that the last server on this folder has left. */
  start(): Promise<void>
  /**
   * Stop. Without `detachJobs` every process of every job is killed and gone when this resolves; either way dispatches
   * go on at the next start.
   */
  close(options: { detachJobs: boolean }): Promise<void>
  /** Kill every process of every job as far as that goes within two seconds, and without giving way to anything else. */
  killNow(): void
}

/** See readServerId. */
const serverVariable = 'QUENCH_SERVER'

/** On one machine answers come at once, and so may questions. */
const localPolicy: Policy = {
  ...defaultPolicy,
  pollSeconds: 2,
  cancelPollSeconds: 1,
  leaseSeconds: 30,
  recoverSeconds: 2,
  settleSeconds: 5,
  actSeconds: { ...defaultPolicy.actSeconds, pack: 25, submit: 25 },
}
const eventGatherMs = 20

/**
 * The embedded stand-in for AWS: the real store, use cases and executors over back ends on this machine.
 *
 * Errors: Conflict when another process has a server on this directory, or its database is damaged; InvalidInput when the
 * disk is full.
 */
export async function composeLocal(options: LocalOptions): Promise<Local> {
  const { directory, faults = createFaults(), log = () => {} } = options
  const at = (name: string) => join(directory, name)
  await mkdir(at('results'), { recursive: true })
  const lock = await lockFolder(directory)
  const serverId = await readServerId(at('server-id'))
  const environment = { [serverVariable]: serverId }
  const dynamo = await startLocalDynamo({ directory: at('dynamodb') }).catch(async (error: unknown) => {
    await lock.release()
    if (!(error instanceof DatabaseUnusable)) throw error
    throw databaseProblem(error, directory, findProcesses(serverVariable, new Set([serverId])).get(serverId) ?? [])
  })
  const ladder = await findLadder({ serverId, ...(options.containments && { allowed: options.containments }) })

  const containmentOf = (jobId: string) => batch.containmentOf(jobId) ?? braket.containmentOf(jobId)
  const events = gather(eventGatherMs, async (told: readonly (BatchJobEvent | BraketEvent)[]) => {
    const news = told.map((event) => readHeldNews(event, containmentOf)).filter((one) => one !== undefined)
    await noteJobNews(context, news)
  })
  const batch = createLocalBatch({
    directory: at('batch'),
    vcpus: options.vcpus,
    stopTimeoutSeconds: options.stopTimeoutSeconds,
    ...(options.workingDirectory !== undefined && { workingDirectory: options.workingDirectory }),
    environment,
    ladder,
    faults,
    onEvent: events.add,
  })
  const braket = createLocalBraket({
    directory: at('braket'),
    ...(options.queueSeconds !== undefined && { queueSeconds: options.queueSeconds }),
    stopTimeoutSeconds: options.stopTimeoutSeconds,
    environment,
    ladder,
    faults,
    onEvent: events.add,
  })
  const quantum = { braketIn: () => braket, output: { bucket: 'amazon-braket-local', keyPrefix: 'tasks' } }
  const hosts = Object.fromEntries(options.hosts.map((name, n) => [name, { instanceId: instanceId(n) }]))
  // The login node of the cluster is one more host.
  const clusters = options.slurm ? { local: { instanceId: instanceId(options.hosts.length) } } : {}
  const runCommand = createLocalRunCommand({
    directory: at('hosts'),
    hosts: { ...hosts, ...(options.slurm && { 'slurm-login': clusters.local }) },
    faults,
    environment: { ...environment, ...(process.env.SLURM_CONF && { SLURM_CONF: process.env.SLURM_CONF }) },
  })
  const logs = createLocalLogs({ directory: at('batch'), batch, faults })
  const executors = byName([
    createBatchExecutor({
      batch,
      submitter: batch,
      containmentOf: batch.containmentOf,
      readLogStream: createLogReader(logs),
    }),
    createSshExecutor({ ssm: runCommand, describeInstance: runCommand.describeInstance, hosts }),
    createBraketTaskExecutor({ ...quantum, readText }),
    createBraketJobExecutor({
      ...quantum,
      roleArn: 'arn:aws:iam::000000000000:role/hybrid-jobs',
      containmentOf: braket.containmentOf,
    }),
    ...(options.slurm ? [createSlurmExecutor({ ssm: runCommand, clusters })] : []),
    createSublatticeExecutor({ children: createChildDispatches(() => context), readText }),
  ])
  const executions = createLocalExecutions(() => context)
  const bulkRunner = createLocalBulkRunner(() => context)
  const context: Context = {
    store: createDynamoStore(dynamo.client, dynamo.tableName),
    bulks: createDynamoBulks(dynamo.client, dynamo.tableName),
    bulkRunner,
    executors,
    executions,
    policy: {
      ...localPolicy,
      chunks,
      ...(options.prices && { priceOf: createPriceOf(options.prices) }),
      ...options.policy,
    },
    now: Date.now,
    sleep: (seconds) => sleep(seconds * 1000, undefined, { ref: false }),
    deadlineAt: systemDeadline,
    newId: randomUUID,
    resultUri: (dispatchId, taskId, attempt) => pathToFileURL(at(`results/${dispatchId}-${taskId}-${attempt}`)).href,
    ...localResultFiles,
    concurrency: 8,
    log,
  }

  return {
    context,
    faults,
    start: async () => {
      await batch.start()
      await braket.start()
      for (const dispatchId of await context.store.listOpen()) {
        const dispatch = await context.store.readDispatch(dispatchId)
        if (dispatch?.status === 'running') await executions.start(dispatchId, dispatch.epoch)
      }
      await bulkRunner.start()
    },
    close: async ({ detachJobs }) => {
      await bulkRunner.close()
      await executions.close()
      // Slurm's own daemons would start what is queued, whatever we kill here.
      if (!detachJobs) await stopJobsOf('slurm', context)
      await batch.close({ detachJobs })
      await braket.close({ detachJobs })
      await runCommand.close()
      await events.close()
      if (!detachJobs) {
        ladder.killNow()
        await killProcesses(serverVariable, new Set([serverId]))
      }
      await ladder.close()
      await dynamo.close()
      await lock.release()
    },
    killNow: () => {
      const leaving = [...batch.killNow(), ...braket.killNow()]
      ladder.killNow()
      killProcessesNow(serverVariable, serverId, leaving)
    },
  }
}

/** Stop what an executor runs for the open dispatches. They stay open: the jobs count as lost at the next start. */
async function stopJobsOf(name: string, { executors, store }: Context): Promise<void> {
  const executor = executors.get(name)
  if (!executor) return
  for (const dispatchId of await store.listOpen()) {
    const runs = await store.readLive(dispatchId)
    const handles = runs.flatMap((run) => (run.executor === name && run.handle ? [run.handle] : []))
    if (handles.length > 0) await executor.cancel(handles, { mode: 'force', reason: 'the server is shutting down' })
  }
}

/** Systems Manager names machines `i-` and 17 hexadecimal digits. */
function instanceId(n: number): string {
  return `i-${n.toString(16).padStart(17, '0')}`
}

function byName(executors: readonly Executor[]): ReadonlyMap<string, Executor> {
  return new Map(executors.map((executor) => [executor.name, executor]))
}
