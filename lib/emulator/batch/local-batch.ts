import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BatchClient,
  DescribeJobsCommand,
  type DescribeJobsCommandInput,
  type JobStatus,
  ListJobsCommand,
  SubmitJobCommand,
  type SubmitJobCommandInput,
  TerminateJobsCommand,
  type TerminateJobsCommandInput,
  type TerminateJobsErrorDetail,
} from '@aws-sdk/client-batch'
import { createFaults, type Faults } from '../faults.ts'
import { createJobProcesses, type JobEnd } from '../processes/job-processes.ts'
import { endOfArray, submittedId, withChildren } from './local-batch-arrays.ts'
import {
  type BatchJobEvent,
  describeJob,
  endOfJob,
  isEnded,
  jobArn,
  jobEvent,
  type LocalJob,
  timedOut,
  vcpusOf,
} from './local-batch-job.ts'
import { type Journal, readJournal, startJournal } from './local-batch-journal.ts'
import { checkDescribeJobs, checkListJobs, checkSubmitJob, checkTerminateJobs, isJobId } from './local-batch-limits.ts'
import { listJobs } from './local-batch-list.ts'

export interface LocalBatchOptions {
  /** Journal, logs and the jobs' folders; what a restart needs. One region at a time. */
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
  /** Epoch milliseconds. */
  readonly now?: () => number
}

export interface LocalBatch {
  /** Answers SubmitJob, DescribeJobs, ListJobs and TerminateJobs as a `BatchClient` does. */
  readonly send: BatchClient['send']
  /** Take up the jobs that the last region on this directory left. Before it, and after `close`, calls are refused. */
  start(): Promise<void>
  /**
   * Stop answering. With `detachJobs`, jobs run on and the next start takes them up; without, every process of every
   * job is killed and gone when this resolves, and the next start finds their host lost.
   */
  close(options: { readonly detachJobs: boolean }): Promise<void>
}

/** The patches of a job that its journal holds; the first is the whole job. */
type JobPatch = Pick<LocalJob, 'jobId'> & Partial<LocalJob>

/** Of the region's own environment, what a program needs; no credentials. */
const passed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']
/** Source: user guide, "Job states": records are kept at least 7 days after the end. */
const retentionMs = 7 * 24 * 3600 * 1000
/** Jobs are checked for their time-out this often. */
const timeoutCheckMs = 500

const neverFits =
  'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job needs more vCPUs than the region has (--vcpus), and will not start.'

/**
 * AWS Batch on one machine: a FIFO queue under a vCPU limit, whose jobs are real processes.
 *
 * Life of a job: SubmitJob journals it, then answers. It is RUNNABLE until the vCPUs are free, first come first served
 * (one that can never fit waits aside, with a status reason), then STARTING and RUNNING in one go. Its end is known from
 * its exit, or after a restart from its run file (see job-run-file.ts). Whatever changes is journalled before it has an
 * effect, so a region that is killed at any instruction leaves a journal from which the next neither loses a job nor
 * runs one twice. TerminateJobs ends a waiting job at once, and a running one as ECS stops a container. A job whose
 * main process ended before the signal keeps its own end. An array job is PENDING while its children are jobs like any
 * other; terminating it terminates them.
 */
export function createLocalBatch(options: LocalBatchOptions): LocalBatch {
  const { directory, vcpus, onEvent, faults = createFaults(), now = Date.now } = options
  const known = {
    jobQueues: new Set(['default', ...(options.jobQueues ?? [])]),
    jobDefinitions: new Set(['default', ...(options.jobDefinitions ?? [])]),
  }
  const base = Object.fromEntries(passed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
  const jobs = new Map<string, LocalJob>()
  const byName = new Map<string, LocalJob[]>()
  /** RUNNABLE jobs that fit the region, oldest first. */
  const queue = new Set<LocalJob>()
  const running = new Set<LocalJob>()
  let freeVcpus = vcpus
  let journal: Journal<JobPatch> | undefined
  let pump: NodeJS.Immediate | undefined
  let timeouts: NodeJS.Timeout | undefined

  const processes = createJobProcesses({
    directory,
    ...(options.workingDirectory === undefined ? {} : { workingDirectory: options.workingDirectory }),
    stopTimeoutSeconds: options.stopTimeoutSeconds ?? 30,
    onStart: (jobId) => {
      note(jobOf(jobId), { status: 'RUNNING', startedAt: now() })
      tell(jobOf(jobId))
    },
    onSignal: (jobId) => save(jobOf(jobId), { signalledAt: now() }),
    onEnd: (jobId, end) => finish(jobOf(jobId), end),
  })

  const jobOf = (jobId: string) => jobs.get(jobId) as LocalJob

  /** Change a job and journal the change; await it where an effect or an answer depends on it. */
  const save = (job: LocalJob, patch: Partial<LocalJob>): Promise<void> => {
    Object.assign(job, patch)
    return journal?.append({ jobId: job.jobId, ...patch }) ?? Promise.resolve()
  }
  /** A change that the next start would find out again from the run file: it may be written a little later. */
  const note = (job: LocalJob, patch: Partial<LocalJob>): void => {
    Object.assign(job, patch)
    journal?.appendLater({ jobId: job.jobId, ...patch })
  }
  const tell = (job: LocalJob, status?: JobStatus) => {
    if (status) job.status = status
    onEvent?.(jobEvent(job, now()))
  }

  const keep = (job: LocalJob) => {
    for (const one of [job, ...(job.children ?? [])]) jobs.set(one.jobId, one)
    const name = (job.input.jobName ?? '').toLowerCase()
    const same = byName.get(name)
    if (same) same.push(job)
    else byName.set(name, [job])
  }

  const parentOf = ({ jobId, arrayIndex }: LocalJob) =>
    arrayIndex === undefined ? undefined : jobs.get(submittedId(jobId))

  /** A child's end may be its parent's. */
  const settle = (parent: LocalJob | undefined) => {
    const end = parent && !isEnded(parent) ? endOfArray(parent) : undefined
    if (!parent || !end) return
    note(parent, end)
    tell(parent)
  }

  const enqueue = (job: LocalJob) => {
    if (vcpusOf(job) <= vcpus) queue.add(job)
    else job.statusReason = neverFits
    const parent = parentOf(job)
    if (parent?.status === 'SUBMITTED') {
      note(parent, { status: 'PENDING' })
      tell(parent)
    }
    tell(job, 'RUNNABLE')
    schedule()
  }

  /** Start what fits, one job a turn of the event loop, since calls wait for answers. */
  const schedule = () => {
    if (pump || !journal) return
    pump = setImmediate(() => {
      pump = undefined
      const [head] = queue
      if (!head || vcpusOf(head) > freeVcpus) return
      queue.delete(head)
      start(head)
      schedule()
    })
  }

  const start = (job: LocalJob) => {
    occupy(job)
    tell(job, 'STARTING')
    const { containerOverrides, jobQueue = '' } = job.input
    const own = (containerOverrides?.environment ?? []).map(({ name = '', value = '' }) => [name, value])
    const batch = { AWS_BATCH_JQ_NAME: jobQueue, AWS_BATCH_CE_NAME: 'local', AWS_BATCH_JOB_ATTEMPT: '1' }
    const child = job.arrayIndex !== undefined && {
      AWS_BATCH_JOB_ARRAY_INDEX: String(job.arrayIndex),
      AWS_BATCH_JOB_ARRAY_SIZE: String(job.input.arrayProperties?.size),
    }
    const environment = { ...base, ...Object.fromEntries(own), ...options.environment, ...batch, ...child }
    processes.launch(job.jobId, containerOverrides?.command ?? [], environment)
  }

  const occupy = (job: LocalJob) => {
    running.add(job)
    freeVcpus -= vcpusOf(job)
  }

  const finish = (job: LocalJob, end: JobEnd) => {
    // Closing: the next start tells how it ended.
    if (!journal) return
    if (running.delete(job)) freeVcpus += vcpusOf(job)
    note(job, endOfJob(job, end, now()))
    tell(job)
    settle(parentOf(job))
    schedule()
  }

  const checkTimeouts = async () => {
    const late = [...running].filter(({ input, startedAt = Number.POSITIVE_INFINITY, statusReason }) => {
      const seconds = input.timeout?.attemptDurationSeconds ?? Number.POSITIVE_INFINITY
      return statusReason === undefined && now() >= startedAt + 1000 * seconds
    })
    await Promise.all(late.map((job) => save(job, { statusReason: timedOut })))
    if (late.length > 0) processes.stop(late.map(({ jobId }) => jobId))
  }

  const submitJob = async (input: SubmitJobCommandInput) => {
    checkSubmitJob(input, known)
    const record = { jobId: randomUUID(), createdAt: now(), input, status: 'SUBMITTED' as const }
    const job = withChildren(record)
    keep(job)
    await save(job, record)
    if (journal) for (const one of job.children ?? [job]) if (!isEnded(one)) enqueue(one)
    return { jobName: input.jobName, jobId: job.jobId, jobArn: jobArn(job.jobId) }
  }

  const describeJobs = (input: DescribeJobsCommandInput) => {
    checkDescribeJobs(input)
    const found = new Set((input.jobs ?? []).flatMap((id) => jobs.get(id.slice(id.lastIndexOf('/') + 1)) ?? []))
    return { jobs: Array.from(found, describeJob) }
  }

  const terminateJobs = async (input: TerminateJobsCommandInput) => {
    checkTerminateJobs(input)
    const { reason: statusReason = '' } = input
    const errors: TerminateJobsErrorDetail[] = []
    const successful: string[] = []
    const waiting: LocalJob[] = []
    const started: LocalJob[] = []
    const saved: Promise<void>[] = []
    for (const jobId of new Set(input.jobs)) {
      if (!isJobId(jobId)) {
        errors.push({ job: jobId, code: 'ValidationException', message: `${jobId} is not a job id` })
        continue
      }
      successful.push(jobId)
      const named = jobs.get(jobId)
      if (!named || isEnded(named)) continue
      if (named.children)
        saved.push(save(named, { isTerminated: true, statusReason: named.statusReason ?? statusReason }))
      for (const job of named.children ?? [named]) {
        if (isEnded(job) || job.isTerminated) continue
        if (running.has(job)) {
          saved.push(save(job, { isTerminated: true, statusReason: job.statusReason ?? statusReason }))
          started.push(job)
        } else {
          queue.delete(job)
          saved.push(save(job, { status: 'FAILED', isCancelled: true, statusReason, stoppedAt: now() }))
          waiting.push(job)
        }
      }
    }
    await Promise.all(saved)
    processes.stop(started.map(({ jobId }) => jobId))
    for (const job of waiting) tell(job)
    for (const parent of new Set(waiting.map(parentOf))) settle(parent)
    // A waiting job at the head may have kept smaller ones from starting.
    if (waiting.length > 0) schedule()
    return { successful, errors }
  }

  const send = async (command: { readonly input: unknown }) => {
    const answer = <Answer extends object>(name: string, effect: () => Answer | Promise<Answer>) => {
      return faults.around(name, async () => ({ ...(await effect()), $metadata: { httpStatusCode: 200 } }))
    }
    if (!journal) throw Object.assign(new Error('the local Batch is not running'), { code: 'ECONNREFUSED' })
    if (command instanceof SubmitJobCommand) return answer('SubmitJob', () => submitJob(command.input))
    if (command instanceof DescribeJobsCommand) return answer('DescribeJobs', () => describeJobs(command.input))
    if (command instanceof ListJobsCommand) {
      return answer('ListJobs', () => {
        checkListJobs(command.input, known)
        return listJobs(command.input, jobs.values(), (name) => byName.get(name) ?? [])
      })
    }
    if (command instanceof TerminateJobsCommand) return answer('TerminateJobs', () => terminateJobs(command.input))
    throw new Error(`the local Batch does not answer ${command.constructor.name}`)
  }

  /** Forget the jobs that ended long ago, and what they left. */
  const forget = (jobId: string) =>
    Promise.all(
      [`runs/${jobId}`, `logs/${jobId}`, `jobs/${jobId}`].map((path) =>
        rm(join(directory, path), { recursive: true, force: true }),
      ),
    )

  return {
    send: send as unknown as BatchClient['send'],

    start: async () => {
      await Promise.all(['runs', 'logs', 'jobs'].map((name) => mkdir(join(directory, name), { recursive: true })))
      const file = join(directory, 'jobs.jsonl')
      const records = await readJournal<LocalJob>(file)
      const kept = new Set(
        [...records.values()].filter((job) => job.input && !isForgotten(job)).map(({ jobId }) => jobId),
      )
      const gone = [...records.keys()].filter((jobId) => !kept.has(submittedId(jobId)))
      for (const jobId of gone) records.delete(jobId)
      await Promise.all(gone.map(forget))
      journal = await startJournal<JobPatch>(file, records.values())
      for (const job of records.values()) if (job.input) keep(withChildren(job, records))
      takeUp([...jobs.values()].filter((job) => !job.children && !isEnded(job)))
      for (const job of jobs.values()) settle(job)
      timeouts = setInterval(checkTimeouts, timeoutCheckMs)
    },

    close: async (how) => {
      const closing = journal
      journal = undefined
      clearImmediate(pump)
      clearInterval(timeouts)
      if (!how.detachJobs) {
        await Promise.all([...running].map(({ jobId }) => closing?.append({ jobId, isHostLost: true })))
      }
      await processes.close(how)
      await closing?.close()
    },
  }

  function isForgotten(job: LocalJob): boolean {
    return isEnded(job) && now() - (job.stoppedAt ?? 0) > retentionMs
  }

  /** Go on with what the last region left: jobs that run, that ended meanwhile, that were lost, that never started. */
  function takeUp(open: readonly LocalJob[]): void {
    const neverStarted = processes.adopt(open.filter(({ isHostLost }) => !isHostLost).map(({ jobId }) => jobId))
    for (const job of open) {
      if (job.isHostLost) finish(job, {})
      else if (neverStarted.has(job.jobId)) enqueue(job)
      else {
        occupy(job)
        if (job.status !== 'RUNNING') note(job, { status: 'RUNNING', startedAt: now() })
      }
    }
    const stopping = open.filter((job) => running.has(job) && (job.isTerminated || job.statusReason === timedOut))
    processes.stop(stopping.map(({ jobId }) => jobId))
  }
}
