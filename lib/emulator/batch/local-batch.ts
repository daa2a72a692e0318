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
import { jobContainment } from '../containment/job-containment.ts'
import { findLadder, type Ladder } from '../containment/ladder.ts'
import { serverIdOf } from '../containment/server-id.ts'
import { createFaults } from '../faults.ts'
import { inheritedEnvironment } from '../processes/inherited-environment.ts'
import { createJobProcesses, type JobEnd } from '../processes/job-processes.ts'
import { endOfArray, submittedId, withChildren } from './local-batch-arrays.ts'
import {
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
import type { LocalBatch, LocalBatchOptions } from './local-batch-port.ts'

/** The patches of a job that its journal holds; the first is the whole job. */
type JobPatch = Pick<LocalJob, 'jobId'> & Partial<LocalJob>

/** Source: user guide, "Job states": records are kept at least 7 days after the end. */
const retentionMs = 7 * 24 * 3600 * 1000
/** Jobs are checked for their time-out this often. */
const timeoutCheckMs = 500

const neverFits =
  'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job needs more vCPUs than the server has (--vcpus), and will not start.'

/**
 * AWS Batch on one machine: a FIFO queue under a vCPU limit, whose jobs are real processes.
 *
 * Life of a job: SubmitJob journals it, then answers. It is RUNNABLE until the vCPUs are free, first come first served
 * (one that can never fit waits aside, with a status reason), then STARTING and RUNNING in one go. Its end is known from
 * its exit, or after a restart from its run file (see job-run-file.ts). Whatever changes is journalled before it has an
 * effect, so a server that is killed at any instruction leaves a journal from which the next neither loses a job nor
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
  const base = inheritedEnvironment()
  const jobs = new Map<string, LocalJob>()
  const byName = new Map<string, LocalJob[]>()
  /** RUNNABLE jobs that fit the server, oldest first. */
  const queue = new Set<LocalJob>()
  const running = new Set<LocalJob>()
  /** Waiting jobs that an earlier server may have been about to start. */
  const perhapsStarted = new Set<LocalJob>()
  let ladder: Ladder | undefined
  let freeVcpus = vcpus
  let journal: Journal<JobPatch> | undefined
  let pump: NodeJS.Immediate | undefined
  let timeouts: NodeJS.Timeout | undefined

  const processes = createJobProcesses(() => ladder as Ladder, {
    directory,
    ...(options.workingDirectory === undefined ? {} : { workingDirectory: options.workingDirectory }),
    stopTimeoutSeconds: options.stopTimeoutSeconds ?? 30,
    onStart: (jobId, hold) => {
      note(jobOf(jobId), { status: 'RUNNING', startedAt: now(), hold })
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
    perhapsStarted.delete(job)
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
    if (late.length === 0) return
    // Not journalled, the disk may be full: it is over all the same, and the next server finds that out as well.
    await Promise.allSettled(late.map((job) => save(job, { statusReason: timedOut })))
    processes.stop(late.map(({ jobId }) => jobId))
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

  /** End a job that waits. It may start no more, so its end is journalled before it is told; else it goes on waiting. */
  const endWaiting = async (job: LocalJob, statusReason: string) => {
    queue.delete(job)
    const end = { status: 'FAILED' as const, isCancelled: true, statusReason, stoppedAt: now() }
    await journal?.append({ jobId: job.jobId, ...end })
    if (isEnded(job)) return
    Object.assign(job, end)
    tell(job)
    settle(parentOf(job))
  }

  const stopRunning = async (job: LocalJob, statusReason: string) => {
    const noted = save(job, { isTerminated: true, statusReason: job.statusReason ?? statusReason })
    // Not journalled, the disk may be full: it is stopped all the same, and whoever asked asks again.
    await noted.finally(() => processes.stop([job.jobId]))
  }

  const terminateOne = async (job: LocalJob, statusReason: string): Promise<void> => {
    if (isEnded(job)) return
    if (job.children) {
      const noted = save(job, { isTerminated: true, statusReason: job.statusReason ?? statusReason })
      await Promise.all([noted, ...job.children.map((child) => terminateOne(child, statusReason))])
    } else if (perhapsStarted.delete(job) && !processes.forestall(job.jobId)) {
      queue.delete(job)
      occupy(job)
      await stopRunning(job, statusReason)
    } else if (!running.has(job)) await endWaiting(job, statusReason)
    else if (!job.isTerminated) await stopRunning(job, statusReason)
  }

  const terminateJobs = async (input: TerminateJobsCommandInput) => {
    checkTerminateJobs(input)
    const { reason = '' } = input
    const errors: TerminateJobsErrorDetail[] = []
    const successful: string[] = []
    const terminate = async (jobId: string) => {
      const job = jobs.get(jobId)
      try {
        if (job) await terminateOne(job, reason)
        successful.push(jobId)
      } catch (error) {
        errors.push({ job: jobId, code: 'ServerException', message: (error as Error).message })
      }
    }
    for (const jobId of new Set(input.jobs)) {
      if (isJobId(jobId)) continue
      errors.push({ job: jobId, code: 'ValidationException', message: `${jobId} is not a job id` })
    }
    await Promise.all([...new Set(input.jobs)].filter(isJobId).map(terminate))
    // A waiting job at the head may have kept smaller ones from starting.
    schedule()
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
      ladder = options.ladder ?? (await findLadder({ serverId: serverIdOf(directory) }))
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
      await takeUp([...jobs.values()].filter((job) => !job.children && !isEnded(job)))
      for (const job of jobs.values()) settle(job)
      timeouts = setInterval(() => void checkTimeouts(), timeoutCheckMs)
    },

    close: async (how) => {
      const closing = journal
      journal = undefined
      clearImmediate(pump)
      clearInterval(timeouts)
      if (!how.detachJobs) {
        // Not journalled, the disk may be full: what is killed is found to have lost its host in any case.
        await Promise.allSettled([...running].map(({ jobId }) => closing?.append({ jobId, isHostLost: true })))
      }
      await processes.close(how)
      if (!options.ladder) await ladder?.close()
      await closing?.close()
    },

    killNow: processes.killNow,

    containmentOf: (jobId) => jobContainment(jobs.get(jobId)),
  }

  function isForgotten(job: LocalJob): boolean {
    return isEnded(job) && now() - (job.stoppedAt ?? 0) > retentionMs
  }

  /** Go on with what the last server left: jobs that run, that ended meanwhile, that were lost, that never started. */
  async function takeUp(open: readonly LocalJob[]): Promise<void> {
    const neverStarted = await processes.adopt(open)
    for (const job of open) {
      const isStarted = !neverStarted.has(job.jobId) || (job.isHostLost && !processes.forestall(job.jobId))
      if (isStarted) {
        occupy(job)
        if (job.status !== 'RUNNING') note(job, { status: 'RUNNING', startedAt: now() })
      } else if (job.isHostLost) finish(job, {})
      else {
        perhapsStarted.add(job)
        enqueue(job)
      }
    }
    const isStopping = (job: LocalJob) => job.isTerminated || job.isHostLost || job.statusReason === timedOut
    processes.stop(open.filter((job) => running.has(job) && isStopping(job)).map(({ jobId }) => jobId))
  }
}
