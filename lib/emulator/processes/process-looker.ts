import { Worker } from 'node:worker_threads'
import type { LiveProcess } from './process-tree.ts'

/** A job whose processes are looked for. */
export interface LookedFor {
  readonly jobId: string
  /** No process of the job is older; clock ticks since boot. */
  readonly sinceTicks: number
}

export interface LookRequest {
  readonly jobs: readonly LookedFor[]
  /** Jobs of which what was seen need not be remembered any more. */
  readonly forgotten: readonly string[]
}

export interface LookAnswer {
  readonly found: ReadonlyMap<string, readonly LiveProcess[]>
  readonly tookMs: number
}

/** Looks over /proc for the processes of jobs, and remembers what it has seen of each. */
export interface ProcessLooker {
  /** The live processes of a job. Whoever asks during a look shares the next one. */
  look(job: LookedFor): Promise<readonly LiveProcess[]>
  forget(jobId: string): void
  close(): Promise<void>
}

/** Looking takes up this part of a core at most, and a look waits this long at most for it. */
const restFactor = 4
const longestRestMs = 1_000

/**
 * A thread of its own for looks over /proc, each for all who have asked meanwhile.
 *
 * A look takes ten milliseconds for every thousand processes, and /proc/PID/environ of a process that is stuck in the
 * kernel may never answer: neither may hold up the server's main thread. The thread starts with the first look.
 */
export function createProcessLooker(): ProcessLooker {
  let worker: Worker | undefined
  let waiting = new Map<
    string,
    { readonly job: LookedFor; readonly tell: ((found: readonly LiveProcess[]) => void)[] }
  >()
  let forgotten: string[] = []
  let isBusy = false
  let restMs = 0

  const start = () => {
    const started = new Worker(new URL('./process-look-worker.ts', import.meta.url), { execArgv: [] })
    started.unref()
    return started
  }

  /** Not at once: whoever asks in the same moment shares the look. */
  const soon = (afterMs: number) => {
    if (isBusy) return
    isBusy = true
    setTimeout(look, afterMs)
  }

  const look = () => {
    const asked = waiting
    waiting = new Map()
    worker ??= start()
    worker.once('message', ({ found, tookMs }: LookAnswer) => {
      for (const [jobId, { tell }] of asked) for (const one of tell) one(found.get(jobId) ?? [])
      restMs = Math.min(restFactor * tookMs, longestRestMs)
      isBusy = false
      if (waiting.size > 0) soon(restMs)
    })
    // Whoever asks may have more to say of a job than can be posted.
    const jobs = Array.from(asked.values(), ({ job: { jobId, sinceTicks } }) => ({ jobId, sinceTicks }))
    const request: LookRequest = { jobs, forgotten }
    forgotten = []
    worker.postMessage(request)
  }

  return {
    look: (job) =>
      new Promise((resolve) => {
        const entry = waiting.get(job.jobId)
        if (entry) entry.tell.push(resolve)
        else waiting.set(job.jobId, { job, tell: [resolve] })
        soon(restMs)
      }),
    forget: (jobId) => {
      forgotten.push(jobId)
    },
    close: async () => {
      await worker?.terminate()
    },
  }
}
