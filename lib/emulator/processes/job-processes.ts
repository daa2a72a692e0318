import { constants } from 'node:os'
import { join } from 'node:path'
import { alreadyRun, readRunFile } from './job-run-file.ts'
import { createJobSpawner, type SpawnReport } from './job-spawner.ts'
import {
  currentTicks,
  findProcesses,
  isAlive,
  killProcesses,
  type LiveProcess,
  type ProcessIdentity,
  readBootId,
  signalProcess,
} from './process-tree.ts'

/** Real Batch sets it too; here it is also how the processes of a job are told from all others. */
const jobVariable = 'AWS_BATCH_JOB_ID'

/** How a job ended: its exit code, the reason why it never started, or neither when its processes are just gone. */
export interface JobEnd {
  readonly exitCode?: number
  readonly startFailure?: string
}

interface JobProcessesOptions {
  readonly directory: string
  /** Where jobs run; each in a folder of its own without it. */
  readonly workingDirectory?: string
  readonly stopTimeoutSeconds: number
  onStart(jobId: string): void
  /** The main process gets SIGTERM when this resolves. */
  onSignal(jobId: string): Promise<void>
  /** Nothing of the job is alive any more. */
  onEnd(jobId: string, end: JobEnd): void
}

/** A started job, until nothing of it is alive. */
interface Running {
  readonly jobId: string
  /** No process of the job is older. */
  readonly sinceTicks: number
  /** Its shell; unknown for a moment after the launch, and after a restart. */
  shell?: ProcessIdentity
  /** Seen alive at SIGTERM: still the job's when they clear their environment or lose their parents. */
  seen: readonly LiveProcess[]
  /** Set once its main process is gone, or never came. */
  end?: JobEnd
  isStopping: boolean
  isKilled: boolean
  stopTimer?: NodeJS.Timeout
}

/** The processes of the local Batch's jobs: what containers are to the real one. */
export interface JobProcesses {
  launch(jobId: string, command: readonly string[], environment: Readonly<Record<string, string>>): void
  /** Take over the jobs that another region started, by what it left on disk; answers those that never started. */
  adopt(jobIds: readonly string[]): ReadonlySet<string>
  /** SIGTERM to the main processes, as a container's PID 1 gets it; SIGKILL to everything after the stop time-out. */
  stop(jobIds: readonly string[]): void
  /** SIGKILL everything and wait until it is gone, or only let go of it. Nothing is reported any more. */
  close(options: { readonly detachJobs: boolean }): Promise<void>
}

/** Between two looks at /proc; a look may take a tenth of the time at most. */
const lookPauseMs = 20
const maxLookPauseMs = 320
/** Between two looks at jobs whose shell is not our child. */
const adoptedPauseMs = 100
/** A shell writes its run file within milliseconds; after this it died before. */
const shellGraceMs = 2_000

/**
 * Jobs as process trees: a shell of ours (`jobScript`), the main process under it, and whatever that starts.
 *
 * A job has ended when its main process has and, as with a container, nothing of it is left: what remains is killed.
 * Processes are found by environment and descent, so the price of an end is a share of one look at /proc.
 */
export function createJobProcesses(options: JobProcessesOptions): JobProcesses {
  const { directory, stopTimeoutSeconds, onStart, onSignal, onEnd } = options
  const bootId = readBootId()
  const running = new Map<string, Running>()
  const adopted = new Map<Running, number>()
  let isClosed = false
  let lookTimer: NodeJS.Timeout | undefined
  let adoptedTimer: NodeJS.Timeout | undefined
  let nextLookAt = 0
  let pauseMs = lookPauseMs

  const runFile = (jobId: string) => join(directory, 'runs', jobId)
  const track = (jobId: string, sinceTicks: number, rest: Partial<Running> = {}): Running => {
    const job: Running = { jobId, sinceTicks, seen: [], isStopping: false, isKilled: false, ...rest }
    running.set(jobId, job)
    return job
  }

  /** Plan a look at /proc: at once when the last is a while ago, else together with others. */
  const lookSoon = () => {
    if (lookTimer || isClosed) return
    lookTimer = setTimeout(look, Math.max(0, nextLookAt - performance.now()))
  }

  /** One look for all jobs that are stopping, are to be killed, or have lost their main process. */
  const look = () => {
    lookTimer = undefined
    const jobs = [...running.values()].filter((job) => job.end || job.isKilled || (job.isStopping && !job.stopTimer))
    if (jobs.length === 0 || isClosed) return
    const startedAt = performance.now()
    const found = findProcesses(jobVariable, new Set(jobs.map(({ jobId }) => jobId)), {
      sinceTicks: Math.min(...jobs.map(({ sinceTicks }) => sinceTicks)),
      known: new Map(jobs.map(({ jobId, seen }) => [jobId, seen])),
    })
    for (const job of jobs) act(job, found.get(job.jobId) ?? [])
    const open = jobs.filter((job) => running.has(job.jobId) && !job.stopTimer)
    const endedAt = performance.now()
    // Nothing came of this look, perhaps because a process cannot be killed: be in less of a hurry.
    pauseMs = open.length < jobs.length ? lookPauseMs : Math.min(2 * pauseMs, maxLookPauseMs)
    nextLookAt = endedAt + Math.max(pauseMs, 10 * (endedAt - startedAt))
    if (open.length > 0) lookSoon()
  }

  const act = (job: Running, processes: readonly LiveProcess[]) => {
    if (job.end && processes.length === 0) {
      running.delete(job.jobId)
      onEnd(job.jobId, job.end)
    } else if (job.end || job.isKilled) {
      for (const process of processes) signalProcess(process, 'SIGKILL')
    } else {
      const main = processes.find(({ parentPid }) => parentPid === job.shell?.pid)
      // None yet: its shell is about to fork it. Look again.
      if (main) terminate(job, main, processes)
    }
  }

  const terminate = (job: Running, main: LiveProcess, processes: readonly LiveProcess[]) => {
    job.seen = processes
    job.stopTimer = setTimeout(() => {
      delete job.stopTimer
      job.isKilled = true
      lookSoon()
    }, stopTimeoutSeconds * 1000)
    if (!isAlive(main)) return
    onSignal(job.jobId).then(
      () => signalProcess(main, 'SIGTERM'),
      // Not journalled, the disk may be full: it is stopped all the same, at the time-out.
      () => undefined,
    )
  }

  const end = (job: Running, how: JobEnd) => {
    job.end ??= how
    clearTimeout(job.stopTimer)
    delete job.stopTimer
    lookSoon()
  }

  const watchAdopted = () => {
    for (const [job, adoptedAt] of adopted) {
      const run = readRunFile(runFile(job.jobId), bootId)
      if (run?.shell) job.shell = run.shell
      if (run?.exitCode !== undefined) end(job, { exitCode: run.exitCode })
      else if (job.shell ? !isAlive(job.shell) : Date.now() - adoptedAt > shellGraceMs) {
        // It may have written its last line between the two looks.
        const exitCode = readRunFile(runFile(job.jobId), bootId)?.exitCode
        end(job, exitCode === undefined ? {} : { exitCode })
      }
      if (job.end) adopted.delete(job)
    }
    adoptedTimer = adopted.size > 0 && !isClosed ? setTimeout(watchAdopted, adoptedPauseMs) : undefined
  }

  const watch = (job: Running) => {
    adopted.set(job, Date.now())
    adoptedTimer ??= setTimeout(watchAdopted, 0)
  }

  const childEnded = (job: Running, code: number | null, signal: NodeJS.Signals | null) => {
    if (code === alreadyRun) {
      const run = readRunFile(runFile(job.jobId), bootId)
      if (!run) return end(job, { startFailure: 'no run file could be written' })
      // A shell of the region before this one was there first.
      if (run.shell?.pid !== job.shell?.pid) return watch(job)
    }
    end(job, { exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0) })
  }

  const spawner = createJobSpawner((report: SpawnReport) => {
    const job = running.get(report.jobId)
    if (!job) return
    switch (report.state) {
      case 'started':
        // Our child until its end is reported, so the pid alone tells it from others.
        job.shell = { pid: report.pid, startTicks: 0 }
        return onStart(job.jobId)
      case 'failed':
        return end(job, { startFailure: report.message })
      case 'ended':
        return childEnded(job, report.code, report.signal)
      default:
        throw new Error(`unknown report ${report satisfies never}`)
    }
  })

  return {
    launch: (jobId, command, environment) => {
      const { workingDirectory } = options
      track(jobId, currentTicks())
      spawner.spawn({
        jobId,
        args: [runFile(jobId), bootId, join(directory, 'logs', jobId), ...command],
        cwd: workingDirectory ?? join(directory, 'jobs', jobId),
        isOwnFolder: workingDirectory === undefined,
        environment: { ...environment, [jobVariable]: jobId },
      })
    },

    adopt: (jobIds) => {
      const alive = findProcesses(jobVariable, new Set(jobIds))
      const neverStarted = new Set<string>()
      for (const jobId of jobIds) {
        const run = readRunFile(runFile(jobId), bootId)
        if (run || alive.has(jobId)) watch(track(jobId, 0))
        else neverStarted.add(jobId)
      }
      return neverStarted
    },

    stop: (jobIds) => {
      for (const jobId of jobIds) {
        const job = running.get(jobId)
        if (job) job.isStopping = true
      }
      lookSoon()
    },

    close: async ({ detachJobs }) => {
      isClosed = true
      clearTimeout(lookTimer)
      clearTimeout(adoptedTimer)
      for (const { stopTimer } of running.values()) clearTimeout(stopTimer)
      await spawner.close()
      if (detachJobs || running.size === 0) return
      const known = new Map([...running.values()].map(({ jobId, seen }) => [jobId, seen]))
      await killProcesses(jobVariable, new Set(running.keys()), { known })
    },
  }
}
