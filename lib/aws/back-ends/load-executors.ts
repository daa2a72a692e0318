import type { Context } from '../../app/context.ts'
import { createChildDispatches } from '../../app/submit/child-dispatches.ts'
import { batchFacts } from '../../back-ends/batch/facts.ts'
import type { ReadLogStream } from '../../back-ends/batch/log-stream.ts'
import { createKnownDevices } from '../../back-ends/braket/devices.ts'
import { braketTaskFacts } from '../../back-ends/braket/facts.ts'
import { braketJobFacts } from '../../back-ends/braket-job/facts.ts'
import type { Executor } from '../../back-ends/executor.ts'
import { loadLater } from '../../back-ends/load-later.ts'
import { slurmFacts } from '../../back-ends/slurm/facts.ts'
import { sshFacts } from '../../back-ends/ssh/facts.ts'
import { createSublatticeExecutor } from '../../back-ends/sublattice/executor.ts'
import type { Backends } from '../config.ts'

interface Backed {
  readonly QUENCH_BACKENDS: Backends
  readonly QUENCH_BUCKET: string
}

/** What only some functions need: the others do not load its clients. */
interface Reading {
  /** Graphs and programs that a task has made: to submit. */
  readonly readText?: (uri: string) => Promise<string>
  /** What Batch jobs write: to show it. */
  readonly readLogStream?: ReadLogStream
}

/**
 * The executors of the configured back ends. A start loads none of their SDK clients: each comes with its first call.
 *
 * Each is imported through a module of our own, so that of its SDK client only what is used is bundled.
 */
export function loadExecutors(
  { QUENCH_BACKENDS: { batch, braket, hosts, clusters }, QUENCH_BUCKET: bucket }: Backed,
  { readText = unread, readLogStream }: Reading = {},
): (context: () => Context) => readonly Executor[] {
  const executors: Executor[] = []
  if (batch) {
    const verbs = readLogStream ? (['readLog', 'listJobs'] as const) : (['listJobs'] as const)
    const load = async () => (await import('./batch-backend.ts')).batchBackend(batch, readLogStream)
    executors.push(loadLater(batchFacts, verbs, load))
  }
  if (braket) {
    const devices = createKnownDevices(braket.devices)
    const load = async () => (await import('./braket-backends.ts')).braketTaskBackend(braket, bucket, readText)
    executors.push(loadLater(braketTaskFacts(devices), [], load))
    const { jobRoleArn } = braket
    if (jobRoleArn !== undefined) {
      const load = async () => (await import('./braket-backends.ts')).braketJobBackend(braket, bucket, jobRoleArn)
      executors.push(loadLater(braketJobFacts(devices), [], load))
    }
  }
  if (Object.keys(hosts).length > 0) {
    const load = async () => (await import('./run-command-backends.ts')).sshBackend(hosts)
    executors.push(loadLater(sshFacts(hosts), ['forestall', 'readLog'], load))
  }
  if (Object.keys(clusters).length > 0) {
    const load = async () => (await import('./run-command-backends.ts')).slurmBackend(clusters)
    executors.push(loadLater(slurmFacts(clusters), ['forestall', 'readLog'], load))
  }
  return (context) => [...executors, createSublatticeExecutor({ children: createChildDispatches(context), readText })]
}

function unread(uri: string): never {
  throw new Error(`this function reads no results, and was asked for ${uri}`)
}
