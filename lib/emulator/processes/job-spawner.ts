import { Worker } from 'node:worker_threads'
import type { ProcessIdentity } from './process-tree.ts'

export interface SpawnRequest {
  readonly jobId: string
  /** Program and arguments above the job's shell; empty where nothing is. */
  readonly keeper: readonly string[]
  /** The arguments of `jobScript`. */
  readonly args: readonly string[]
  readonly cwd: string
  /** To be made where they are not there. */
  readonly folders: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

export type SpawnReport = { readonly jobId: string } & (
  | { readonly state: 'started'; readonly root: ProcessIdentity }
  | { readonly state: 'failed'; readonly message: string }
  | { readonly state: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
)

export interface JobSpawner {
  spawn(request: SpawnRequest): void
  /** After it nothing more is spawned or reported; what runs, runs on. */
  close(): Promise<void>
}

/**
 * Starts jobs from a thread of its own.
 *
 * A spawn blocks its thread until the child has become the new program: a millisecond when the machine is idle, five
 * and more when jobs keep it busy, which is when the server's main thread has calls to answer. The thread starts with
 * the first job.
 */
export function createJobSpawner(onReport: (report: SpawnReport) => void): JobSpawner {
  let worker: Worker | undefined

  const startWorker = () => {
    const started = new Worker(new URL('./job-spawner-worker.ts', import.meta.url), { execArgv: [] })
    started.on('message', onReport)
    started.unref()
    return started
  }

  return {
    spawn: (request) => {
      worker ??= startWorker()
      worker.postMessage(request)
    },
    close: async () => {
      worker?.off('message', onReport)
      await worker?.terminate()
    },
  }
}
