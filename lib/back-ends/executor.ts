import type { z } from 'zod'
import type { Amounts } from '../domain/budget/amounts.ts'
import type { Containment } from '../domain/containment.ts'
import type { Evidence } from '../domain/evidence.ts'
import type { Failure } from '../domain/failure.ts'
import type { JobRef } from '../domain/job-name.ts'
import type { JsonObject } from '../domain/json.ts'

/** JSON that is enough to poll and cancel a job, made by one executor and read by no other. */
export type Handle = JsonObject

/** What an executor needs to know to look for a job by name. */
export interface JobQuery extends JobRef {
  /** The deterministic name (`jobName`). */
  readonly name: string
  /** The task's options as the executor's schema left them. */
  readonly options: JsonObject
}

/** A job that is looked for by its name. */
export interface SoughtJob extends JobQuery {
  /**
   * It was made between these instants, if it was made, with an allowance for clocks that differ: a back end that cannot
   * look for a name looks through what was made then. Epoch milliseconds.
   */
  readonly madeBetween: readonly [from: number, to: number]
}

/**
 * What a look for a job has come to. `none`: the back end has no job of that name. `unknown`: the look did not come to its
 * end. With `searchedTo`, there is none among all that was made until then, and the next look may begin there.
 */
export type Found =
  | { readonly outcome: 'found'; readonly handle: Handle }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'unknown'; readonly searchedTo?: number; readonly message?: string }

/**
 * How long a call may take. After `at`, in epoch milliseconds by our clock, nothing is begun; then `signal` fires, and ends
 * the calls and pauses that are under way.
 */
export interface Deadline {
  readonly at: number
  readonly signal: AbortSignal
}

/** One attempt, ready to be submitted. */
export interface JobSpec extends JobQuery {
  readonly timeoutSeconds?: number
  /** The `QUENCH_…` variables of the attempt; the executor adds the task's own. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * What a back end said about a handle.
 *
 * `lost`: it does not know the job (any more). `unknown`: it could not be asked this time; ask again.
 * Units: epoch milliseconds, by the back end's clock.
 */
export interface Observation {
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost' | 'unknown'
  readonly startedAt?: number
  readonly endedAt?: number
  readonly exitCode?: number
  /** Why a `queued` job waits, in the words of its back end: `Resources`, `JobHeldUser`. */
  readonly reason?: string
  /** With `failed`, always; with `cancelled`, who did it, where that was not Quench; with `unknown`, why. */
  readonly failure?: Failure
  /** Of a child dispatch: what it has spent so far. */
  readonly spent?: Amounts
  /** What holds the job's processes together, where it is ours to hold them. */
  readonly containment?: Containment
  /** Of an end: what it rests on. */
  readonly evidence?: Evidence
}

/** Of an `unknown` observation: the machine that the job is on, or that is asked about it, is away. */
export const hostAwayCode = 'HostAway'

export type CancelMode = 'graceful' | 'force'

/**
 * What became of a request to stop one job. `accepted`: asked, not yet stopped. `ended`: had ended before. `unknown`:
 * the back end does not know it. `failed`: ask again.
 */
export interface CancelOutcome {
  readonly outcome: 'accepted' | 'ended' | 'unknown' | 'failed'
  readonly message?: string
}

/** What is known of a back end before it is called: its SDK client need not be loaded for that. */
export interface ExecutorFacts {
  readonly name: string
  /** Checks a task's options when the graph is submitted; refuses unknown keys. */
  readonly optionsSchema: z.ZodType<JsonObject>
  readonly handleSchema: z.ZodType<Handle>
  /** The back end has at most one job of a name: `submit` and `find` mean the same one however their handles differ. */
  readonly adopts: boolean
  /** IAM actions that the verbs call. */
  readonly iamActions: readonly string[]
  /** How many handles one chunk of work carries; the verbs cut it further to what their calls take. */
  readonly chunk: { readonly submit: number; readonly poll: number; readonly cancel: number }
  /** How long the quota makes a cancel of `count` jobs take, where that is more than an instant. */
  cancelSeconds?(count: number): number
  /** Absent where each task is a job of its own. */
  readonly packing?: PackingFacts
}

/**
 * The port to one back end: a few verbs, all idempotent, over serialisable handles.
 *
 * Errors of every verb: `BackendUnavailable` when the whole call did not go through, `BackendRejected` when the back
 * end refuses it for good. Nothing else is thrown for what a back end does.
 *
 * Every verb ends with its deadline, whatever hangs: with the answers that came until then, and for the rest as for a call
 * that did not go through. Without a deadline it takes as long as its calls do.
 */
export interface Executor extends ExecutorFacts {
  /**
   * Start the job, or adopt the one that is there under this name.
   *
   * Guarantees: called again with the same name, on the same back end, it never makes a second job where the back end
   * can tell; where it cannot (SubmitJob), the caller never calls again for the same name.
   * Errors: BackendUnavailable with `arrived` telling whether a job may exist.
   */
  submit(job: JobSpec, deadline?: Deadline): Promise<Handle>

  /**
   * Do what is slow about a submit and makes nothing: wait for a place in the quota, read what goes along. What it gives
   * then submits at once. To be called before the fence is read, for nothing slow may stand between that and the submit.
   *
   * Absent where a submit is one call.
   * Errors: as `submit`, with nothing made.
   */
  prepare?(job: JobSpec, deadline?: Deadline): Promise<PreparedSubmit>

  /**
   * Look for jobs by their names. Jobs that have ended count.
   *
   * Shape: one answer a job, in the same order. As few searches as the back end allows, however many the jobs are.
   * Errors: when not one could be looked for.
   */
  find(jobs: readonly SoughtJob[], deadline?: Deadline): Promise<readonly Found[]>

  /**
   * Make sure that no job of this name will start any more, and give a handle that stands for it: of the job that is
   * there, or of what keeps it from starting. Only where the back end can promise it; then a cancelled claim without a
   * job need not wait for the end of its lease.
   */
  forestall?(job: JobQuery, deadline?: Deadline): Promise<Handle>

  readonly packing?: Packing

  /** One observation a handle, in the same order. */
  poll(handles: readonly Handle[], deadline?: Deadline): Promise<readonly Observation[]>

  /**
   * Ask the back end to stop the jobs behind `handles`.
   *
   * Guarantees: safe to call twice and late. Returning does not mean that a job has stopped; only `poll` says that.
   * Shape: one outcome a handle, in the same order.
   */
  cancel(handles: readonly Handle[], request: CancelRequest, deadline?: Deadline): Promise<readonly CancelOutcome[]>

  /**
   * A piece of what a job has written, from `offset` on.
   *
   * Shape: at most about 20,000 bytes a call, in whole characters; bytes that are no UTF-8 become U+FFFD. Empty text at
   * the end of what there is, for a job that has not begun, and for one that has written nothing.
   * Guarantees: `nextOffset` of one call is the `offset` of the next, and nothing is left out or told twice.
   * Where the back end keeps one log for both streams, `stdout` is all of it, and `stderr` is empty.
   * Errors: also BackendRejected where the back end has forgotten the log.
   */
  readLog?(handle: Handle, place: LogPlace, deadline?: Deadline): Promise<LogPart>

  /**
   * The jobs with names of ours that have not ended, whoever submitted them. Only where the back end can list them; then
   * the sweeper finds those that nobody waits for.
   */
  listJobs?(deadline?: Deadline): Promise<readonly ListedJob[]>
}

export interface LogPlace {
  readonly stream: 'stdout' | 'stderr'
  /** In bytes, from 0. */
  readonly offset: number
}

export interface LogPart {
  readonly text: string
  readonly nextOffset: number
}

/** A job that its back end runs or will run. */
export interface ListedJob {
  readonly ref: JobRef
  readonly handle: Handle
  /** Whether the handle of an attempt is one of this job, or of a part of it. */
  isOf(handle: Handle): boolean
}

/** Begins the job, without a pause before it. Errors and guarantees as `Executor.submit`. */
export type PreparedSubmit = () => Promise<Handle>

/** What can be packed. */
export interface PackingFacts {
  /** What the members' options must have in common and have not; undefined when they can be packed. */
  problem(options: readonly JsonObject[]): string | undefined
  /** Whether members may differ in what they need, and so in `QUENCH_INPUTS`. */
  readonly mayDifferInNeeds: boolean
}

/**
 * How tasks of one pack become one job with an element for each: an array job.
 *
 * Shape: `name` is the deterministic name of the job as a whole, that of its first member's attempt. Every member has a
 * handle of its own, good for `poll` and `cancel`; cancelling all members of a job is one call, as far as the back end
 * has one.
 */
export interface Packing extends PackingFacts {
  /** Start the elements, 2…10,000, in the order of `jobs`. Errors and guarantees as `Executor.submit`. */
  submit(jobs: readonly JobSpec[], name: string, deadline?: Deadline): Promise<readonly Handle[]>
  /** The handles of the members of the job with this name, in the order in which it was submitted. */
  find(jobs: readonly JobQuery[], name: string, deadline?: Deadline): Promise<readonly (Handle | undefined)[]>
}

export interface CancelRequest {
  readonly mode: CancelMode
  /** Shown by back ends that keep one; at most 1,024 characters. */
  readonly reason: string
  /** From asking the job to end to killing it, for what has to pass it on; kill passes repeat and sharpen the request anyway. */
  readonly graceSeconds?: number
}

/** What a back end tells by itself about a job. A hint: it may come twice, late, out of order or never. */
export interface JobNews {
  readonly ref: JobRef
  readonly seen: Observation
  /** Whether the news is about the job behind this handle, and not about a twin of the same name. */
  isOf(handle: Handle): boolean
}
