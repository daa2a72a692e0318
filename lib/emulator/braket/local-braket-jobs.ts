import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CancelJobCommandInput,
  ConflictException,
  type CreateJobCommandInput,
  type GetJobCommandInput,
  type JobEventType,
  type SearchJobsCommandInput,
  ServiceQuotaExceededException,
} from '@aws-sdk/client-braket'
import { type Journal, readJournal, startJournal } from '../batch/local-batch-journal.ts'
import { jobContainment } from '../containment/job-containment.ts'
import type { Ladder } from '../containment/ladder.ts'
import { inheritedEnvironment } from '../processes/inherited-environment.ts'
import { createJobProcesses, type JobEnd } from '../processes/job-processes.ts'
import { prepareEntry } from './local-braket-entry.ts'
import { checkCreateJob, checkSearch } from './local-braket-limits.ts'
import {
  type BraketEvent,
  describeHybridJob,
  hybridJobArn,
  hybridJobEvent,
  isEnded,
  type LocalHybridJob,
  pageOf,
  passes,
  resourceOf,
  summariseHybridJob,
} from './local-braket-records.ts'
import { copyJobResults } from './local-braket-results.ts'

interface LocalHybridJobsOptions {
  readonly directory: string
  readonly queueSeconds: (deviceArn: string) => number
  /** Put into every job's environment, and stronger than what else is there. */
  readonly environment: Readonly<Record<string, string>>
  readonly stopTimeoutSeconds: number
  readonly ladder: () => Ladder
  readonly tell: (event: BraketEvent) => void
  readonly now: () => number
}

type JobPatch = Pick<LocalHybridJob, 'jobId'> & Partial<LocalHybridJob>

/** Source: Braket developer guide, "Amazon Braket quotas": concurrent hybrid jobs. */
const concurrentJobs = 3
const retentionMs = 7 * 24 * 3600 * 1000
/** Jobs are checked for their time-out this often. */
const timeoutCheckMs = 500

/**
 * The hybrid jobs of the local Braket: each a process tree, its entry point the main process.
 *
 * The processes are those of the local Batch (see job-processes.ts), and so is what a restart finds: a job that was left
 * running is taken up, one that was killed with its server has lost its host. A cancel is SIGTERM, then SIGKILL to all.
 */
export function createLocalHybridJobs(options: LocalHybridJobsOptions) {
  const { queueSeconds, tell, now } = options
  const directory = join(options.directory, 'hybrid-jobs')
  const base = inheritedEnvironment()
  const jobs = new Map<string, LocalHybridJob>()
  const timers = new Map<LocalHybridJob, NodeJS.Timeout>()
  const launched = new Set<LocalHybridJob>()
  /** Waiting jobs that an earlier server may have been about to start. */
  const perhapsStarted = new Set<LocalHybridJob>()
  let journal: Journal<JobPatch> | undefined
  let timeouts: NodeJS.Timeout | undefined

  const processes = createJobProcesses(options.ladder, {
    directory,
    stopTimeoutSeconds: options.stopTimeoutSeconds,
    onStart: (jobId, hold) => started(jobOf(jobId), { hold }),
    onSignal: (jobId) => save(jobOf(jobId), { signalledAt: now() }),
    onEnd: (jobId, end) => void finish(jobOf(jobId), end),
  })

  const jobOf = (jobId: string) => jobs.get(jobId) as LocalHybridJob
  const folderOf = ({ jobId }: LocalHybridJob) => join(directory, 'jobs', jobId)
  const happened = (job: LocalHybridJob, eventType: JobEventType) => [...job.events, { eventType, at: now() }]

  const save = (job: LocalHybridJob, patch: Partial<LocalHybridJob>): Promise<void> => {
    Object.assign(job, patch)
    return journal?.append({ jobId: job.jobId, ...patch }) ?? Promise.resolve()
  }
  const note = (job: LocalHybridJob, patch: Partial<LocalHybridJob>) => {
    Object.assign(job, patch)
    journal?.appendLater({ jobId: job.jobId, ...patch })
    tell(hybridJobEvent(job, now()))
  }

  const enqueue = (job: LocalHybridJob) => {
    const dueAt = job.createdAt + 1000 * queueSeconds(job.input.deviceConfig?.device ?? '')
    const arrive = () => {
      timers.delete(job)
      void launch(job)
    }
    timers.set(job, setTimeout(arrive, Math.min(Math.max(0, dueAt - now()), 2 ** 31 - 1)))
  }

  const launch = async (job: LocalHybridJob) => {
    launched.add(job)
    perhapsStarted.delete(job)
    try {
      const { command, environment } = await prepareEntry(options.directory, folderOf(job), job)
      // Cancelled, or closed, in between.
      if (!journal) return
      if (job.status === 'CANCELLING') return void finish(job, {})
      processes.launch(job.jobId, command, { ...base, ...environment, ...options.environment })
    } catch (error) {
      await finish(job, { startFailure: (error as Error).message })
    }
  }

  const started = (job: LocalHybridJob, held: Pick<LocalHybridJob, 'hold'> = {}) => {
    const status = job.status === 'CANCELLING' ? job.status : 'RUNNING'
    note(job, { status, startedAt: now(), events: happened(job, 'RUNNING'), ...held })
  }

  const finish = async (job: LocalHybridJob, end: JobEnd) => {
    // Closing: the next start tells how it ended.
    if (!journal) return
    launched.delete(job)
    let outcome = outcomeOf(job, end)
    if (outcome.status === 'COMPLETED') {
      await keepResults(job).catch(({ message }: Error) => {
        outcome = { status: 'FAILED', failureReason: `InternalServerError: the results cannot be copied: ${message}` }
      })
    }
    const eventType = outcome.status as JobEventType
    const quiet = end.quiet && { quiet: { ...end.quiet, at: now() } }
    note(job, { ...outcome, ...quiet, endedAt: Math.max(now(), job.startedAt ?? 0), events: happened(job, eventType) })
  }

  const keepResults = (job: LocalHybridJob) =>
    copyJobResults(options.directory, {
      results: join(folderOf(job), 'model'),
      s3Path: job.input.outputDataConfig?.s3Path ?? '',
      resultUri: job.input.hyperParameters?.QUENCH_RESULT,
    })

  const checkTimeouts = async () => {
    const late = [...launched].filter(({ input, startedAt = Number.POSITIVE_INFINITY, status }) => {
      const seconds = input.stoppingCondition?.maxRuntimeInSeconds ?? Number.POSITIVE_INFINITY
      return status === 'RUNNING' && now() >= startedAt + 1000 * seconds
    })
    const overrun = late.filter((job) => !hasOverrun(job))
    // Not journalled, the disk may be full: it is over all the same, and the next server finds that out as well.
    await Promise.allSettled(overrun.map((job) => save(job, { events: happened(job, 'MAX_RUNTIME_EXCEEDED') })))
    if (overrun.length > 0) processes.stop(overrun.map(({ jobId }) => jobId))
  }

  const isForgotten = (job: LocalHybridJob) => isEnded(job) && now() - (job.endedAt ?? 0) > retentionMs
  const forget = ({ jobId }: LocalHybridJob) =>
    Promise.all(
      [`runs/${jobId}`, `logs/${jobId}`, `jobs/${jobId}`].map((path) =>
        rm(join(directory, path), { recursive: true, force: true }),
      ),
    )

  return {
    create: async (input: CreateJobCommandInput) => {
      checkCreateJob(input)
      const known = [...jobs.values()]
      const before = known.find((job) => job.input.clientToken === input.clientToken)
      if (before) return { jobArn: hybridJobArn(before) }
      if (known.filter((job) => !isEnded(job)).length >= concurrentJobs) {
        const message = `the account runs up to ${concurrentJobs} hybrid jobs at the same time`
        throw new ServiceQuotaExceededException({ message, $metadata: { httpStatusCode: 402 } })
      }
      const job: LocalHybridJob = {
        jobId: randomUUID(),
        createdAt: now(),
        input,
        status: 'QUEUED',
        events: [{ eventType: 'QUEUED_FOR_EXECUTION', at: now() }],
      }
      jobs.set(job.jobId, job)
      await save(job, job)
      tell(hybridJobEvent(job, now()))
      if (job.status === 'QUEUED' && journal) enqueue(job)
      return { jobArn: hybridJobArn(job) }
    },

    get: ({ jobArn }: GetJobCommandInput) => describeHybridJob(resourceOf(jobs, jobArn)),

    search: ({ filters, maxResults = 100, nextToken }: SearchJobsCommandInput) => {
      checkSearch(filters, maxResults, ['jobArn', 'createdAt'])
      const found = [...jobs.values()].filter((job) =>
        passes({ jobArn: hybridJobArn(job), createdAt: new Date(job.createdAt).toISOString() }, filters),
      )
      const { page, ...more } = pageOf(found, { maxResults, nextToken })
      return { jobs: page.map(summariseHybridJob), ...more }
    },

    cancel: async ({ jobArn }: CancelJobCommandInput) => {
      const job = resourceOf(jobs, jobArn)
      if (isEnded(job)) {
        const message = `Cannot cancel hybrid job ${jobArn} in state ${job.status}`
        throw new ConflictException({ message, $metadata: { httpStatusCode: 409 } })
      }
      const answer = { jobArn: hybridJobArn(job) }
      if (!launched.has(job) && (!perhapsStarted.delete(job) || processes.forestall(job.jobId))) {
        clearTimeout(timers.get(job))
        timers.delete(job)
        const end = { status: 'CANCELLED' as const, endedAt: now(), events: happened(job, 'CANCELLED') }
        // It may start no more, so its end is journalled before it is told; else it goes on waiting.
        await journal?.append({ jobId: job.jobId, ...end })
        Object.assign(job, end)
        tell(hybridJobEvent(job, now()))
        return { ...answer, cancellationStatus: 'CANCELLED' }
      }
      launched.add(job)
      if (job.status !== 'CANCELLING') {
        const saved = save(job, { status: 'CANCELLING' })
        tell(hybridJobEvent(job, now()))
        // Not journalled, the disk may be full: it is stopped all the same, and whoever asked asks again.
        await saved.finally(() => processes.stop([job.jobId]))
      }
      return { ...answer, cancellationStatus: 'CANCELLING' }
    },

    start: async () => {
      await Promise.all(['runs', 'logs', 'jobs'].map((name) => mkdir(join(directory, name), { recursive: true })))
      const file = join(directory, 'jobs.jsonl')
      const recorded = [...(await readJournal<LocalHybridJob>(file)).values()].filter(
        ({ input }) => input !== undefined,
      )
      await Promise.all(recorded.filter(isForgotten).map(forget))
      const kept = recorded.filter((job) => !isForgotten(job))
      journal = await startJournal<JobPatch>(file, kept)
      for (const job of kept) jobs.set(job.jobId, job)
      await takeUp(kept.filter((job) => !isEnded(job)))
      timeouts = setInterval(() => void checkTimeouts(), timeoutCheckMs)
    },

    close: async (how: { readonly detachJobs: boolean }) => {
      const closing = journal
      journal = undefined
      for (const timer of timers.values()) clearTimeout(timer)
      clearInterval(timeouts)
      if (!how.detachJobs) {
        await Promise.allSettled([...launched].map(({ jobId }) => closing?.append({ jobId, isHostLost: true })))
      }
      await processes.close(how)
      await closing?.close()
    },

    killNow: processes.killNow,

    containmentOf: (arn: string) => jobContainment(jobs.get(arn.slice(arn.lastIndexOf('/') + 1))),
  }

  /** Go on with what the last server left: jobs that run, that ended meanwhile, that were lost, that never started. */
  async function takeUp(open: readonly LocalHybridJob[]): Promise<void> {
    const neverStarted = await processes.adopt(open)
    for (const job of open) {
      const isOver = job.isHostLost || job.status === 'CANCELLING'
      const isStarted = !neverStarted.has(job.jobId) || (isOver && !processes.forestall(job.jobId))
      if (isStarted) {
        launched.add(job)
        if (job.status === 'QUEUED') started(job)
      } else if (isOver) void finish(job, {})
      else {
        perhapsStarted.add(job)
        enqueue(job)
      }
    }
    const isStopping = (job: LocalHybridJob) => job.isHostLost || job.status === 'CANCELLING' || hasOverrun(job)
    processes.stop([...launched].filter(isStopping).map(({ jobId }) => jobId))
  }
}

const hasOverrun = ({ events }: LocalHybridJob): boolean =>
  events.some(({ eventType }) => eventType === 'MAX_RUNTIME_EXCEEDED')

/** Without our signal the end is the job's own, however late a request to stop it came. */
function outcomeOf(job: LocalHybridJob, end: JobEnd): Pick<LocalHybridJob, 'status'> & Partial<LocalHybridJob> {
  const { startFailure } = end
  // What its server has killed at shutdown has not failed by itself.
  const exitCode = job.isHostLost && end.exitCode !== 0 ? undefined : end.exitCode
  const isOurs = job.signalledAt !== undefined || (exitCode === undefined && startFailure === undefined)
  if (isOurs && hasOverrun(job)) {
    return { status: 'FAILED', failureReason: 'MaxRuntimeExceeded: the job ran longer than its stopping condition' }
  }
  if (isOurs && job.status === 'CANCELLING') return { status: 'CANCELLED' }
  if (startFailure !== undefined) return { status: 'FAILED', failureReason: `AlgorithmError: ${startFailure}` }
  if (exitCode === undefined) {
    return { status: 'FAILED', failureReason: 'InternalServerError: the machine that ran the job was stopped' }
  }
  if (exitCode === 0) return { status: 'COMPLETED' }
  return { status: 'FAILED', failureReason: `AlgorithmError: the entry point failed, exit code: ${exitCode}` }
}
