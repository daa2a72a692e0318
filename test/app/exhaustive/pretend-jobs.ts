import { z } from 'zod'
import type {
  CancelOutcome,
  CancelRequest,
  Deadline,
  Executor,
  Found,
  Handle,
  Observation,
} from '../../../lib/back-ends/executor.ts'
import type { JobRef } from '../../../lib/domain/job-name.ts'

/** The back ends of the search, told apart by what they can promise. */
export const kinds = [
  { name: 'batch', packs: true, adopts: false, forestalls: false },
  { name: 'braket', packs: false, adopts: true, forestalls: false },
  { name: 'ssh', packs: true, adopts: true, forestalls: true },
] as const

export interface Job extends JobRef {
  readonly id: string
  readonly executor: string
  readonly name: string
  /** Of an element: its job's name. */
  readonly pack?: string
  readonly state: 'running' | 'succeeded' | 'cancelled'
  readonly isAsked: boolean
  /** Stands in the place of a job so that none can start. */
  readonly isTombstone?: true
}

/** Every job that was ever made, by id. Never changed: a call gives another map. */
export type Jobs = ReadonlyMap<string, Job>

interface NamedJob extends JobRef {
  readonly name: string
}

/** One call of a back end. */
export type JobsCall = { readonly executor: string } & (
  | { readonly verb: 'submit' | 'forestall'; readonly job: NamedJob }
  | { readonly verb: 'submit pack'; readonly members: readonly NamedJob[]; readonly pack: string }
  | { readonly verb: 'find'; readonly names: readonly string[] }
  | { readonly verb: 'find pack'; readonly members: readonly NamedJob[]; readonly pack: string }
  | { readonly verb: 'poll'; readonly ids: readonly string[] }
  | { readonly verb: 'cancel'; readonly ids: readonly string[]; readonly mode: CancelRequest['mode'] }
)

/** What a call makes of the jobs, which of them it began, and what it answers. */
export interface JobsAnswer {
  readonly jobs: Jobs
  readonly began: readonly Job[]
  readonly value: unknown
}

export const isOver = (job: Job) => job.state !== 'running'

/** A back end as a function. What it cannot promise it does not keep: `batch` makes a second job of a name. */
export function applyCall(jobs: Jobs, call: JobsCall): JobsAnswer {
  switch (call.verb) {
    case 'submit':
      return begin(jobs, call.executor, [call.job])
    case 'submit pack':
      return begin(jobs, call.executor, call.members, call.pack)
    case 'forestall': {
      const known = named(jobs, call.executor, call.job.name)
      if (known) return { jobs: asked(jobs, [known]), began: [], value: { id: known.id } }
      const tombstone = { ...jobOf(jobs, call.executor, call.job), state: 'cancelled', isTombstone: true } as const
      return { jobs: new Map(jobs).set(tombstone.id, tombstone), began: [], value: { id: tombstone.id } }
    }
    case 'find':
      return read(
        jobs,
        call.names.map((name): Found => {
          const job = named(jobs, call.executor, name)
          return job ? { outcome: 'found', handle: { id: job.id } } : { outcome: 'none' }
        }),
      )
    case 'find pack':
      return read(
        jobs,
        call.members.map(({ taskId }) => {
          const job = [...jobs.values()].find((one) => one.pack === call.pack && one.taskId === taskId)
          return job && { id: job.id }
        }),
      )
    case 'poll':
      return read(
        jobs,
        call.ids.map((id): Observation => ({ state: jobs.get(id)?.state ?? 'lost' })),
      )
    case 'cancel': {
      const known = call.ids.flatMap((id) => jobs.get(id) ?? [])
      const outcome = (id: string): CancelOutcome => {
        const job = jobs.get(id)
        if (!job) return { outcome: 'unknown' }
        return { outcome: isOver(job) ? 'ended' : 'accepted' }
      }
      return { jobs: asked(jobs, known), began: [], value: call.ids.map(outcome) }
    }
  }
}

function begin(jobs: Jobs, executor: string, members: readonly NamedJob[], pack?: string): JobsAnswer {
  const adopts = kinds.some((kind) => kind.name === executor && kind.adopts)
  const after = new Map(jobs)
  const began: Job[] = []
  const handles = members.map((member) => {
    const known = adopts && [...after.values()].find((job) => job.name === member.name && job.pack === pack)
    if (known) return { id: known.id }
    const job = { ...jobOf(after, executor, member), ...(pack !== undefined && { pack }) }
    after.set(job.id, job)
    began.push(job)
    return { id: job.id }
  })
  return { jobs: after, began, value: pack === undefined ? handles[0] : handles }
}

function jobOf(jobs: Jobs, executor: string, { dispatchId, taskId, attempt, name }: NamedJob): Job {
  const count = [...jobs.values()].filter((job) => job.name === name).length
  const id = `${executor} ${name}${count > 0 ? ` again ${count}` : ''}`
  return { id, executor, name, dispatchId, taskId, attempt, state: 'running', isAsked: false }
}

const named = (jobs: Jobs, executor: string, name: string) =>
  [...jobs.values()].find((job) => job.executor === executor && job.name === name && job.pack === undefined)

const read = (jobs: Jobs, value: unknown): JobsAnswer => ({ jobs, began: [], value })

function asked(jobs: Jobs, which: readonly Job[]): Jobs {
  const open = which.filter((job) => !isOver(job) && !job.isAsked)
  if (open.length === 0) return jobs
  return new Map([...jobs, ...open.map((job) => [job.id, { ...job, isAsked: true }] as const)])
}

const refOf = ({ dispatchId, taskId, attempt, name }: NamedJob): NamedJob => ({ dispatchId, taskId, attempt, name })

/** The executor of a back end whose calls are made by `call`. */
export function pretendExecutor(
  { name, packs, adopts, forestalls }: (typeof kinds)[number],
  call: (request: JobsCall, deadline?: Deadline) => Promise<unknown>,
): Executor {
  const idsOf = (handles: readonly Handle[]) => handles.map(({ id }) => String(id))
  return {
    name,
    adopts,
    optionsSchema: z.strictObject({}),
    handleSchema: z.strictObject({ id: z.string() }),
    iamActions: [],
    chunk: { submit: 3, poll: 5, cancel: 4 },
    submit: (job, deadline) => call({ executor: name, verb: 'submit', job: refOf(job) }, deadline) as Promise<Handle>,
    find: (jobs, deadline) =>
      call({ executor: name, verb: 'find', names: jobs.map((job) => job.name) }, deadline) as Promise<readonly Found[]>,
    poll: (handles, deadline) =>
      call({ executor: name, verb: 'poll', ids: idsOf(handles) }, deadline) as Promise<readonly Observation[]>,
    cancel: (handles, { mode }, deadline) =>
      call({ executor: name, verb: 'cancel', ids: idsOf(handles), mode }, deadline) as Promise<
        readonly CancelOutcome[]
      >,
    ...(forestalls && {
      forestall: (job, deadline) =>
        call({ executor: name, verb: 'forestall', job: refOf(job) }, deadline) as Promise<Handle>,
    }),
    ...(packs && {
      packing: {
        problem: () => undefined,
        mayDifferInNeeds: true,
        submit: (jobs, pack, deadline) =>
          call({ executor: name, verb: 'submit pack', members: jobs.map(refOf), pack }, deadline) as Promise<
            readonly Handle[]
          >,
        find: (jobs, pack, deadline) =>
          call({ executor: name, verb: 'find pack', members: jobs.map(refOf), pack }, deadline) as Promise<
            readonly (Handle | undefined)[]
          >,
      },
    }),
  }
}
