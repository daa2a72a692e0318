import { createChildDispatches } from '../app/child-dispatches.ts'
import type { Context } from '../app/context.ts'
import type { ReadLogStream } from '../executors/batch-log-stream.ts'
import type { Executor } from '../executors/executor.ts'
import { createSublatticeExecutor } from '../executors/sublattice.ts'
import type { Backends } from './config.ts'

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
 * The executors of the configured back ends. The code of the others is not run: where a back end is not configured, its
 * SDK client costs a start no time.
 *
 * Each is imported through a module of our own, so that of its SDK client only what is used is bundled.
 */
export async function loadExecutors(
  { QUENCH_BACKENDS: { batch, braket, hosts, clusters }, QUENCH_BUCKET: bucket }: Backed,
  { readText = unread, readLogStream }: Reading = {},
): Promise<(context: () => Context) => readonly Executor[]> {
  const executors: Executor[] = []
  if (batch) {
    const { batchBackend } = await import('./batch-backend.ts')
    executors.push(batchBackend(batch, readLogStream))
  }
  if (braket) {
    const { braketBackends } = await import('./braket-backends.ts')
    executors.push(...braketBackends(braket, { bucket, readText }))
  }
  if (Object.keys({ ...hosts, ...clusters }).length > 0) {
    const { runCommandBackends } = await import('./run-command-backends.ts')
    executors.push(...runCommandBackends({ hosts, clusters }))
  }
  return (context) => [...executors, createSublatticeExecutor({ children: createChildDispatches(context), readText })]
}

function unread(uri: string): never {
  throw new Error(`this function reads no results, and was asked for ${uri}`)
}
