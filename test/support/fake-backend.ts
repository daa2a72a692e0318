import { z } from 'zod'
import type {
  CancelOutcome,
  Deadline,
  Executor,
  Found,
  Handle,
  JobQuery,
  JobSpec,
  Observation,
  Packing,
} from '../../lib/back-ends/executor.ts'
import { BackendRejected, BackendUnavailable } from '../../lib/domain/errors.ts'
import type { Random } from './random.ts'

export interface FakeJob {
  readonly id: string
  readonly name: string
  readonly dispatchId: string
  readonly taskId: number
  readonly attempt: number
  /** Of an element: its job's name, and its place in it. */
  readonly pack?: { readonly name: string; readonly index: number }
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'vanished'
  isAskedToStop: boolean
  /** Ignores everything but `force`. */
  isStubborn: boolean
  failure?: { code: string; retryable: boolean }
}

export interface FakeBackend extends Executor {
  readonly jobs: FakeJob[]
  /** Let a random job go on by one step; false when every job has ended. */
  progress(random: Random): boolean
}

/**
 * How a back end answers. `hanging`: never, and nothing happens. `late`: never, and it has happened. `slow`: after a while.
 * `throttled`: at once, that it will not.
 */
export type Weather = 'fine' | 'hanging' | 'late' | 'slow' | 'throttled'

interface Options {
  readonly name: string
  readonly random: Random
  /** Whether tasks of a pack become one job. */
  readonly packs?: boolean
  /** Whether a second submit of a name gives the job that is there. */
  readonly adopts?: boolean
  /** Whether a name can be kept from starting; only with `adopts`. */
  readonly forestalls?: boolean
  /** How often a call fails in one of its ways. */
  readonly faultProbability: () => number
  readonly pass: <T>(label: string, effect: () => Promise<T>) => Promise<T>
  readonly onSubmit: (job: JobSpec) => void
  readonly onCancel: (job: FakeJob) => void
  /** Jobs that can only fail, whenever they are tried. */
  readonly isDoomed?: (job: FakeJob) => boolean
  /** Nothing goes wrong but for the doomed. */
  readonly isCalm?: () => boolean
  /** By default fine, always. */
  readonly weather?: () => Weather
  /** Resolves when the clock of the world has come to an instant; for ever without one. */
  readonly rest?: (until: number | undefined) => Promise<void>
  readonly now?: () => number
}

/** A slow call takes so long. */
const slowMs = 15_000

export const isOver = (job: FakeJob) => job.state !== 'queued' && job.state !== 'running'

/** A back end without a body: jobs are entries of a list, and every call may fail in each of the documented ways. */
export function createFakeBackend(options: Options): FakeBackend {
  const { name, random } = options
  const jobs: FakeJob[] = []
  const jobOf = (handle: Handle) => jobs.find((job) => job.id === handle.id)
  const isFaulty = () => random.chance(options.faultProbability())
  const unavailable = (arrived: 'no' | 'unknown') => new BackendUnavailable(`${name} is down`, { arrived })

  const rest = (until: number | undefined) => options.rest?.(until) ?? new Promise<void>(() => {})
  /** A call whatever the weather is: one that does not answer ends with its deadline. */
  const pass = async <T>(label: string, deadline: Deadline | undefined, effect: () => Promise<T>): Promise<T> => {
    const weather = options.weather?.() ?? 'fine'
    if (weather === 'throttled') return options.pass(`${label}, throttled`, () => Promise.reject(unavailable('no')))
    if (weather === 'slow') await rest((options.now?.() ?? 0) + slowMs)
    if (weather === 'hanging') await options.pass(`${label}, which hangs`, async () => {})
    else {
      const answer = await options.pass(label, effect)
      if (weather !== 'late') return answer
    }
    await rest(deadline?.at)
    throw unavailable('unknown')
  }

  const refuse = () => {
    if (!isFaulty()) return
    if (random.chance(0.1)) throw new BackendRejected('no such queue')
    if (random.chance(0.4)) throw unavailable('no')
    if (random.chance(0.5)) throw unavailable('unknown')
  }

  const add = (job: JobQuery, state: FakeJob['state'], pack?: FakeJob['pack']): Handle => {
    const { dispatchId, taskId, attempt } = job
    const id = `${name}-${jobs.length}`
    const stop = { isAskedToStop: false, isStubborn: random.chance(0.3) }
    jobs.push({ id, name: job.name, dispatchId, taskId, attempt, ...(pack && { pack }), state, ...stop })
    return { id }
  }

  const make = (job: JobSpec, pack?: FakeJob['pack']): Handle => {
    const known = options.adopts && jobs.find((one) => one.name === job.name && one.pack?.name === pack?.name)
    if (known) return { id: known.id }
    options.onSubmit(job)
    return add(job, 'queued', pack)
  }

  const forestall = (job: JobQuery, deadline?: Deadline): Promise<Handle> =>
    pass(`${name}.forestall ${job.name}`, deadline, async () => {
      if (isFaulty()) throw unavailable('unknown')
      const known = jobs.find((one) => one.name === job.name && !one.pack)
      if (!known) return add(job, 'cancelled')
      options.onCancel(known)
      known.isAskedToStop = true
      return { id: known.id }
    })

  const packing: Packing = {
    problem: () => undefined,
    mayDifferInNeeds: true,
    submit: (members, packName, deadline) =>
      pass(`${name}.submit pack ${packName} of ${members.length}`, deadline, async () => {
        refuse()
        const handles = members.map((job, index) => make(job, { name: packName, index }))
        if (isFaulty()) throw unavailable('unknown')
        return handles
      }),
    find: (members, packName, deadline) =>
      pass(`${name}.find pack ${packName}`, deadline, async () => {
        if (isFaulty()) throw unavailable('no')
        return members.map((_, index) => {
          const element = jobs.find((job) => job.pack?.name === packName && job.pack.index === index)
          return element && element.state !== 'vanished' ? { id: element.id } : undefined
        })
      }),
  }

  return {
    name,
    ...(options.packs && { packing }),
    adopts: options.adopts ?? false,
    ...(options.forestalls && { forestall }),
    jobs,
    optionsSchema: z.strictObject({}),
    handleSchema: z.strictObject({ id: z.string() }),
    iamActions: [],
    chunk: { submit: 3, poll: 5, cancel: 4 },

    submit: (job, deadline) =>
      pass(`${name}.submit ${job.name}`, deadline, async () => {
        refuse()
        const handle = make(job)
        if (isFaulty()) throw unavailable('unknown')
        return handle
      }),

    find: (queries, deadline) =>
      pass(`${name}.find ${queries.map((query) => query.name)}`, deadline, async () => {
        if (isFaulty()) throw unavailable('no')
        return queries.map((query): Found => {
          if (isFaulty()) return { outcome: 'unknown' }
          const job = jobs.find((one) => one.name === query.name && !one.pack && one.state !== 'vanished')
          return job ? { outcome: 'found', handle: { id: job.id } } : { outcome: 'none' }
        })
      }),

    poll: (handles, deadline) =>
      pass(`${name}.poll ${handles.length}`, deadline, async () => {
        if (isFaulty()) throw unavailable('no')
        return handles.map((handle): Observation => {
          const job = jobOf(handle)
          if (isFaulty()) return { state: 'unknown' }
          if (!job || job.state === 'vanished') return { state: 'lost' }
          if (job.state === 'failed' && job.failure)
            return { state: 'failed', failure: { ...job.failure, message: 'it failed', source: name } }
          return { state: job.state }
        })
      }),

    cancel: (handles, { mode }, deadline) =>
      pass(`${name}.cancel ${handles.map((handle) => handle.id)} ${mode}`, deadline, async () => {
        if (isFaulty()) throw unavailable(random.pick(['no', 'unknown']))
        const outcomes = handles.map((handle): CancelOutcome => {
          const job = jobOf(handle)
          if (!job || job.state === 'vanished') return { outcome: 'unknown' }
          options.onCancel(job)
          if (isOver(job)) return { outcome: 'ended' }
          if (isFaulty()) return { outcome: 'failed', message: 'throttled' }
          job.isAskedToStop ||= !job.isStubborn || mode === 'force'
          return { outcome: 'accepted' }
        })
        if (isFaulty()) throw unavailable('unknown')
        return outcomes
      }),

    progress: (chooser) => {
      const open = jobs.filter((job) => !isOver(job))
      if (open.length === 0) return false
      const job = chooser.pick(open)
      const isDoomed = options.isDoomed?.(job) ?? false
      if (job.isAskedToStop && chooser.chance(0.7)) job.state = 'cancelled'
      else if (job.state === 'queued' && chooser.chance(0.6)) job.state = 'running'
      else if (isDoomed && (options.isCalm?.() || chooser.chance(0.7))) {
        job.state = 'failed'
        job.failure = { code: 'ExitCode', retryable: false }
      } else if (!isDoomed && (options.isCalm?.() || chooser.chance(0.7))) job.state = 'succeeded'
      else if (chooser.chance(0.5)) job.state = 'vanished'
      else {
        job.state = 'failed'
        job.failure = chooser.pick([
          { code: 'ExitCode', retryable: false },
          { code: 'HostLost', retryable: true },
        ])
      }
      return true
    },
  }
}
