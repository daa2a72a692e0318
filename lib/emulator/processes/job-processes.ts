import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Containment } from '../containment/containments.ts'
import type { Ladder } from '../containment/ladder.ts'
import type { ChildEnd, HeldJob, Quiet, Rung } from '../containment/rung.ts'
import { alreadyRun, forestall, type JobRun, notHeld, readRunFile, runLabel } from './job-run-file.ts'
import { createJobSpawner, type SpawnReport } from './job-spawner.ts'
import { jobVariable } from './job-variable.ts'
import { childrenOf, currentTicks, isAlive, type ProcessIdentity, readProcess, signalProcess } from './process-tree.ts'
import { thisPlace } from './this-place.ts'

/** How a job ended: its exit code, the reason why it never started, or neither when its processes are just gone. */
export interface JobEnd {
  readonly exitCode?: number
  readonly startFailure?: string
  /** What it rests on that nothing of the job is left; absent where nothing of it was started. */
  readonly quiet?: Quiet
}

/** What holds a started job, and where to find it: good for the next server as well. */
export interface JobHold extends ProcessIdentity {
  readonly containment: Containment
  readonly place: string
}

interface JobProcessesOptions {
  readonly directory: string
  /** Where jobs run; each in a folder of its own without it. */
  readonly workingDirectory?: string
  readonly stopTimeoutSeconds: number
  onStart(jobId: string, hold: JobHold): void
  /** The main process gets SIGTERM when this resolves, fails, or takes long. */
  onSignal(jobId: string): Promise<void>
  /** Nothing of the job is alive any more. */
  onEnd(jobId: string, end: JobEnd): void
}

/** A started job, until nothing of it is alive. */
interface Running {
  readonly jobId: string
  readonly rung: Rung
  /** No process of the job is older. */
  readonly sinceTicks: number
  /** Its shell, or the keeper above it; unknown for a moment after the launch, and perhaps after a restart. */
  root?: ProcessIdentity
  /** Of a root that is, or is about to be, our child. */
  child?: { readonly started: PromiseWithResolvers<void>; readonly end: PromiseWithResolvers<ChildEnd> }
  isStopping: boolean
  /** Set from when on what is left of it is killed, until it is gone. */
  ending?: Promise<void>
  stopTimer?: NodeJS.Timeout
}

/** A job that an earlier server left, and what that server knew of it. */
export interface LeftJob {
  readonly jobId: string
  readonly hold?: JobHold
}

/** The processes of the local Batch's jobs: what containers are to the real one. */
export interface JobProcesses {
  launch(jobId: string, command: readonly string[], environment: Readonly<Record<string, string>>): void
  /** Take over the jobs that another server started; answers those whose command was not begun. */
  adopt(jobs: readonly LeftJob[]): Promise<ReadonlySet<string>>
  /**
   * Keep a job from starting that an earlier server may have been about to start. False where its command has been begun:
   * then it is taken over.
   */
  forestall(jobId: string): boolean
  /** SIGTERM to the main processes, as a container's PID 1 gets it; SIGKILL to everything after the stop time-out. */
  stop(jobIds: readonly string[]): void
  /**
   * SIGKILL to what runs as far as that goes without waiting, for whoever leaves at once. Answers the keepers that do it:
   * they must live on, and end by themselves.
   */
  killNow(): readonly ProcessIdentity[]
  /** SIGKILL everything and wait until it is gone, or only let go of it. Nothing is reported any more. */
  close(options: { readonly detachJobs: boolean }): Promise<void>
}

/** Between two looks at jobs whose root is not our child, and at a shell that is about to start its command. */
const lookPauseMs = 100
const startPauseMs = 10
/** A shell writes its run file within milliseconds; after this it died before. */
const shellGraceMs = 2_000
/** What the journal may take before SIGTERM is sent all the same: the disk may be stuck. */
const journalMs = 1_000
/** How long a look over /proc may keep SIGTERM waiting, and an end that the kernel has confirmed. */
const lookMs = 1_000
const checkMs = 10_000
const closeMs = 10_000

/**
 * Jobs as process trees: a shell of ours (`jobScript`), the main process under it, and whatever that starts, held
 * together by a rung of the ladder.
 *
 * A job has ended when its main process has and, as with a container, nothing of it is left: what remains is killed.
 * A stop looks over /proc before SIGTERM, which notes what may leave the job's group, and once more when the kernel
 * says that the group is quiet: what a job of root's has moved elsewhere is chased, and the end then is `best effort`.
 */
export function createJobProcesses(ladder: () => Ladder, options: JobProcessesOptions): JobProcesses {
  const { directory, stopTimeoutSeconds, onStart, onSignal, onEnd } = options
  const running = new Map<string, Running>()
  const adopted = new Map<Running, number>()
  let isClosed = false
  let adoptedTimer: NodeJS.Timeout | undefined

  const runFileOf = (jobId: string) => join(directory, 'runs', jobId)
  const track = (jobId: string, rung: Rung, rest: Partial<Running> = {}): Running => {
    const job: Running = { jobId, rung, sinceTicks: 0, isStopping: false, ...rest }
    running.set(jobId, job)
    return job
  }
  const heldOf = ({ jobId, sinceTicks, root, child, isStopping }: Running): HeldJob => ({
    jobId,
    sinceTicks,
    runFile: runFileOf(jobId),
    wasStopped: isStopping,
    ...(root && { root }),
    ...(child && { childEnd: child.end.promise }),
  })
  const holdOf = ({ rung }: Running, root: ProcessIdentity): JobHold => ({
    pid: root.pid,
    startTicks: root.startTicks,
    containment: rung.containment,
    place: thisPlace(),
  })

  /** SIGKILL to what is left of a job, and tell its end when nothing is. */
  const end = (job: Running, how: JobEnd): Promise<void> => {
    job.ending ??= finish(job, how)
    return job.ending
  }

  const finish = async (job: Running, how: JobEnd): Promise<void> => {
    const { jobId } = job
    clearTimeout(job.stopTimer)
    // From here on no shell starts its command, whichever server has sent it; ours is waited for until it is there.
    forestall(runFileOf(jobId))
    await job.child?.started.promise
    const quiet = await checked(job, await job.rung.end(heldOf(job)))
    ladder().looker.forget(jobId)
    if (isClosed) return
    running.delete(jobId)
    const exitCode = readRunFile(runFileOf(jobId))?.exitCode
    const isOwn = exitCode !== undefined && how.startFailure === undefined
    onEnd(jobId, { ...how, ...(isOwn && { exitCode }), quiet })
  }

  /** A process of root's can leave its group: whoever was stopped is looked for once, with other eyes. */
  const checked = async (job: Running, quiet: Quiet): Promise<Quiet> => {
    if (!job.isStopping || quiet.containment === 'best effort') return quiet
    const found = await Promise.race([ladder().looker.look(job), sleep(checkMs, [] as const, { ref: false })])
    return found.length === 0 ? quiet : ladder().rungOf('best effort').end(heldOf(job))
  }

  /** The command's process, once the shell has started it. Above the shell there may be a keeper, below it an init. */
  const mainOf = ({ root, rung }: Running): ProcessIdentity | undefined => {
    let at: number | undefined = root?.pid
    const steps = rung.containment === 'subreaper' || rung.containment === 'namespace' ? 2 : 1
    for (let step = 0; step < steps && at !== undefined; step++) [at] = childrenOf(at)
    return at === undefined ? undefined : readProcess(at)
  }

  const killLater = (job: Running) => {
    clearTimeout(job.stopTimer)
    job.stopTimer = setTimeout(() => {
      // Without a SIGTERM before, it is our end all the same.
      onSignal(job.jobId).catch(() => undefined)
      void end(job, { exitCode: 128 + constants.signals.SIGKILL })
    }, stopTimeoutSeconds * 1000)
  }

  const terminate = async (job: Running): Promise<void> => {
    await Promise.race([ladder().looker.look(job), sleep(lookMs, undefined, { ref: false })])
    if (isClosed || job.ending !== undefined) return
    // Also for a job whose shell was stopped, and has neither a command nor an end.
    killLater(job)
    await job.child?.started.promise
    for (; !isClosed && job.ending === undefined; await sleep(startPauseMs)) {
      const main = mainOf(job)
      if (main) return signal(job, main)
      // Whoever makes the run file first decides: now its shell will not start the command any more.
      if (forestall(runFileOf(job.jobId))) return end(job, {})
    }
  }

  const signal = async (job: Running, main: ProcessIdentity): Promise<void> => {
    killLater(job)
    if (!isAlive(main)) return
    // Not journalled, the disk may be full: it gets its signal all the same.
    const noted = onSignal(job.jobId).catch(() => undefined)
    await Promise.race([noted, sleep(journalMs, undefined, { ref: false })])
    if (!isClosed && job.ending === undefined) signalProcess(main, 'SIGTERM')
  }

  const watchAdopted = () => {
    for (const [job, adoptedAt] of adopted) {
      const run = readRunFile(runFileOf(job.jobId))
      const root = job.root ?? rootOf(job.rung, run)
      if (root) job.root = root
      const isAbandoned = job.root ? !isAlive(job.root) : performance.now() - adoptedAt > shellGraceMs
      // Read again: it may have written its last line between the two looks.
      const exitCode = run?.exitCode ?? (isAbandoned ? readRunFile(runFileOf(job.jobId))?.exitCode : undefined)
      if (exitCode === undefined && !isAbandoned && !run?.isForestalled) continue
      adopted.delete(job)
      void end(job, exitCode === undefined ? {} : { exitCode })
    }
    adoptedTimer = adopted.size > 0 && !isClosed ? setTimeout(watchAdopted, lookPauseMs) : undefined
  }

  const watch = (job: Running) => {
    adopted.set(job, performance.now())
    adoptedTimer ??= setTimeout(watchAdopted, 0)
  }

  const childEnded = (job: Running, { code, signal }: ChildEnd): void => {
    const run = readRunFile(runFileOf(job.jobId))
    const root = rootOf(job.rung, run)
    if (run?.isForestalled) void end(job, {})
    else if (code === alreadyRun && !run) void end(job, { startFailure: 'no run file could be written' })
    else if (code === notHeld && !run) void end(job, { startFailure: `${job.rung.containment} could not hold it` })
    else if (code === alreadyRun && root?.pid !== job.root?.pid) {
      // A shell of the server before this one was there first.
      delete job.child
      delete job.root
      watch(job)
    } else void end(job, { exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0) })
  }

  const spawner = createJobSpawner((report: SpawnReport) => {
    const job = running.get(report.jobId)
    if (!job) return
    switch (report.state) {
      case 'started':
        job.root = report.root
        onStart(job.jobId, holdOf(job, report.root))
        break
      case 'failed':
        job.child?.end.resolve({ code: null, signal: null })
        void end(job, { startFailure: report.message })
        break
      case 'ended':
        job.child?.end.resolve(report)
        childEnded(job, report)
        break
      default:
        throw new Error(`unknown report ${report satisfies never}`)
    }
    job.child?.started.resolve()
  })

  return {
    launch: (jobId, command, environment) => {
      const { workingDirectory } = options
      const { best: rung } = ladder()
      const child = { started: Promise.withResolvers<void>(), end: Promise.withResolvers<ChildEnd>() }
      const job = track(jobId, rung, { sinceTicks: currentTicks(), child })
      try {
        const { group, join: joinFile = '', keeper = [], wrapper = [] } = rung.hold(jobId, runFileOf(jobId))
        const cwd = workingDirectory ?? join(directory, 'jobs', jobId)
        const run = [runFileOf(jobId), runLabel(rung.containment), joinFile, join(directory, 'logs', jobId)]
        spawner.spawn({
          jobId,
          keeper,
          args: [...run, ...wrapper, ...command],
          cwd,
          folders: [...(workingDirectory === undefined ? [cwd] : []), ...(group === undefined ? [] : [group])],
          environment: { ...environment, [jobVariable]: jobId },
        })
      } catch (error) {
        child.started.resolve()
        child.end.resolve({ code: null, signal: null })
        void end(job, { startFailure: (error as Error).message })
      }
    },

    adopt: async (jobs) => {
      const neverStarted = new Set<string>()
      const started: Running[] = []
      const take = async ({ jobId, hold }: LeftJob) => {
        const { best, looker, rungOf } = ladder()
        const run = readRunFile(runFileOf(jobId))
        const known = hold?.place === thisPlace() ? hold : undefined
        const containment = run?.containment ?? known?.containment
        const rung = containment ? rungOf(containment) : best
        const root = known ?? rootOf(rung, run)
        const job: Running = { jobId, rung, sinceTicks: 0, isStopping: false, ...(root && { root }) }
        const isThere = run !== undefined || rung.holdsSomething(heldOf(job)) === true || (root && isAlive(root))
        if (isThere || (await looker.look(job)).length > 0) started.push(track(jobId, rung, job))
        else neverStarted.add(jobId)
      }
      await Promise.all(jobs.map(take))
      // Only now, or an end would be told before its job is known to be running.
      for (const job of started) watch(job)
      return neverStarted
    },

    forestall: (jobId) => {
      if (forestall(runFileOf(jobId))) return true
      const { best, rungOf } = ladder()
      const { containment } = readRunFile(runFileOf(jobId)) ?? {}
      watch(track(jobId, containment ? rungOf(containment) : best))
      return false
    },

    stop: (jobIds) => {
      for (const jobId of jobIds) {
        const job = running.get(jobId)
        if (!job || job.isStopping) continue
        job.isStopping = true
        void terminate(job)
      }
    },

    killNow: () => {
      const jobs = [...running.values()]
      for (const job of jobs) {
        forestall(runFileOf(job.jobId))
        job.rung.endNow(heldOf(job))
      }
      return jobs.flatMap(({ rung, root }) => (rung.containment === 'subreaper' && root ? [root] : []))
    },

    close: async ({ detachJobs }) => {
      if (isClosed) return
      isClosed = true
      clearTimeout(adoptedTimer)
      for (const { stopTimer } of running.values()) clearTimeout(stopTimer)
      if (!detachJobs) {
        for (const job of running.values()) job.isStopping = true
        const gone = Promise.all(Array.from(running.values(), (job) => end(job, {})))
        // What the kernel holds on to does not hold us up: the next server takes it up again.
        await Promise.race([gone, sleep(closeMs, undefined, { ref: false })])
      }
      await spawner.close()
    },
  }
}

/** What a run file tells of the process that is asked for an end. */
function rootOf({ containment }: Rung, run: JobRun | undefined): ProcessIdentity | undefined {
  return containment === 'subreaper' ? run?.parent : run?.shell
}
