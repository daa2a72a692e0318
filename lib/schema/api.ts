import { z } from 'zod'
import { budgetInput } from './graph-file.ts'

/** Ids may be given as a unique prefix of at least four characters. */
export const dispatchIdParam = z
  .string()
  .regex(/^[0-9a-f-]{4,36}$/, 'must be a dispatch id, or a unique prefix of at least 4 characters')

export const cancelRequest = z.strictObject({
  taskIds: z.array(z.int().min(0)).min(1).readonly().optional(),
  reason: z.string().max(1024).default('cancelled on request'),
  mode: z.enum(['graceful', 'force']).default('graceful'),
  /** From asking the job to end to killing it. */
  graceSeconds: z.int().min(0).max(300).default(30),
  dryRun: z.boolean().default(false),
})

export type CancelRequestInput = z.input<typeof cancelRequest>
export type CancelOrder = z.output<typeof cancelRequest>

export const redriveRequest = z.strictObject({
  /** Without: every task that did not succeed. */
  taskIds: z.array(z.int().min(0)).min(1).readonly().optional(),
  dryRun: z.boolean().default(false),
  /** Do not wait for jobs whose cancellation is not confirmed: they may run on beside the new attempts. */
  force: z.boolean().default(false),
})

export type RedriveRequestInput = z.input<typeof redriveRequest>
export type RedriveOrder = z.output<typeof redriveRequest>

export const giveUpRequest = z.strictObject({
  /** Without: every task that is unconfirmed. */
  taskIds: z.array(z.int().min(0)).min(1).readonly().optional(),
  /** Goes on record. */
  reason: z.string().trim().min(1, 'must say why').max(1024),
})

export type GiveUpRequestInput = z.input<typeof giveUpRequest>
export type GiveUpOrder = z.output<typeof giveUpRequest>

/** Answer to `POST …/give-ups`: the jobs that nobody waits for any more. They may still run. */
export interface GiveUpAnswer {
  readonly dispatchId: string
  readonly tasks: readonly {
    readonly taskId: number
    readonly name: string
    readonly executor: string
    readonly attempt: number
    readonly handle?: Readonly<Record<string, unknown>>
  }[]
}

export const listQuery = z.strictObject({
  status: z.enum(['running', 'cancelling', 'succeeded', 'failed', 'cancelled']).exactOptional(),
  owner: z.string().exactOptional(),
  /** `key=value` */
  tag: z
    .string()
    .regex(/^[^=]+=/, 'must be key=value')
    .exactOptional(),
  limit: z.coerce.number().int().min(1).max(100).default(25),
  cursor: z.string().exactOptional(),
})

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  cursor: z.string().exactOptional(),
})

export const logQuery = z.strictObject({
  stream: z.enum(['stdout', 'stderr']).default('stdout'),
  offset: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
})

/** Beside the bytes of a result: where they are. */
export const resultUriHeader = 'quench-result-uri'

/** A new budget takes the place of the old one. */
export const budgetRequest = budgetInput
export type BudgetRequest = z.output<typeof budgetRequest>

/** What users see of a task. `cancelling` and `unconfirmed` are derived, never stored. */
export const taskStates = [
  'pending',
  'submitting',
  'queued',
  'running',
  'cancelling',
  'unconfirmed',
  'succeeded',
  'failed',
  'cancelled',
  'skipped',
] as const
export type TaskState = (typeof taskStates)[number]
export type DispatchState = 'running' | 'cancelling' | 'succeeded' | 'failed' | 'cancelled'

/** All instants are ISO 8601 strings in UTC. */
export interface DispatchView {
  readonly dispatchId: string
  readonly name: string
  readonly owner: string
  readonly state: DispatchState
  readonly tags: Readonly<Record<string, string>>
  /** Of a sublattice's child: the task whose job it is. */
  readonly parent?: { readonly dispatchId: string; readonly taskId: number }
  readonly createdAt: string
  readonly endedAt?: string
  readonly taskCount: number
  readonly settledCount: number
  /** Tasks by state; states without a task are left out. */
  readonly tasks: Readonly<Partial<Record<TaskState, number>>>
  readonly cancellations: readonly CancellationSummary[]
  /** How often it was redriven, and when last; absent where it never was. */
  readonly redrives?: number
  readonly drivenAt?: string
  /** Where the post-processing task left its result, once it has succeeded. */
  readonly resultUri?: string
  /** Absent where nothing that costs anything was started, and there is no budget. */
  readonly spend?: Pick<BudgetView, 'totalUsd' | 'unknownJobs' | 'limitUsd'>
  /** Why the dispatch as a whole has failed, where that was not one of its tasks. */
  readonly failure?: { readonly code: 'TimedOut'; readonly message: string }
}

/**
 * What a dispatch has spent and may spend, in US dollars, its children included. Approximate: list prices times what
 * Quench knows of times. Jobs whose price is not known are counted in `unknownJobs`, and in no amount.
 */
export interface BudgetView {
  readonly dispatchId: string
  /** Absent where there is no budget. */
  readonly limitUsd?: number
  readonly warnAtUsd?: number
  readonly warnedAt?: string
  readonly isExceeded: boolean
  /** What has ended, what runs, and what is owed for jobs that have not ended. */
  readonly totalUsd: number
  readonly unknownJobs: number
  readonly usdPerHour: number
  /** What stopping everything now would still cost, by estimate. */
  readonly overshootUsd: number
  readonly backends: Readonly<
    Record<
      string,
      {
        readonly settledUsd: number
        readonly runningUsd: number
        readonly committedUsd: number
        readonly unknownJobs: number
      }
    >
  >
}

export interface CancellationSummary {
  readonly cancellationId: string
  readonly at: string
  readonly scope: 'dispatch' | 'tasks'
  readonly actor: string
  readonly source: string
  readonly reason: string
}

/** A dispatch in a list: without what takes a read of its tasks. */
export type DispatchRow = Pick<
  DispatchView,
  'dispatchId' | 'name' | 'owner' | 'state' | 'tags' | 'parent' | 'createdAt' | 'endedAt' | 'taskCount' | 'settledCount'
>

export interface TaskView {
  readonly taskId: number
  readonly name: string
  readonly executor: string
  readonly needs: readonly number[]
  readonly state: TaskState
  /** 0 while it has never been submitted. */
  readonly attempt: number
  readonly handle?: Readonly<Record<string, unknown>>
  /** Of a sublattice: the dispatch that is its job. */
  readonly childId?: string
  readonly submittedAt?: string
  readonly startedAt?: string
  readonly endedAt?: string
  readonly exitCode?: number
  readonly failure?: { readonly code: string; readonly message: string; readonly source: string }
  /** Why its job waits, in the words of its back end. */
  readonly waitReason?: string
  /** The host that its job is on, or that tells about it, has been away for long. */
  readonly hostAway?: { readonly since: string; readonly message: string }
  /** Of one that is `cancelled`: nobody waited for the end of its job, which was never confirmed. */
  readonly lost?: boolean
  readonly resultUri?: string
}

export interface EventView {
  readonly at: string
  readonly lines: readonly string[]
}

/** A piece of the log of a task's current attempt; another attempt has a log of its own, from offset 0. */
export interface LogView {
  readonly attempt: number
  readonly text: string
  /** In bytes: where the next piece begins. */
  readonly nextOffset: number
  /** The task was over before this was read: where the text is empty, no more will come. */
  readonly hasEnded: boolean
}

/** `stopping`: asked to stop, confirmation follows. `abandoned`: will never start. `finished`: had ended before. */
export interface CancelCounts {
  readonly stopping: number
  readonly abandoned: number
  readonly finished: number
  /** `stopping` by executor. */
  readonly backends: Readonly<Record<string, number>>
  /** How long asking for all of it will take, by executor, where a quota makes that more than an instant. */
  readonly etaSeconds?: Readonly<Record<string, number>>
}

/** Answer to `POST …/cancellations`: 202, or 200 for a dry run and for a dispatch that has ended. */
export interface CancelAnswer {
  /** Absent for a dry run. */
  readonly cancellationId?: string
  readonly dispatchId: string
  readonly dryRun: boolean
  readonly scope: 'dispatch' | 'tasks'
  readonly counts: CancelCounts
  /**
   * Jobs, by back end, that could not be asked to stop before this answer, since their back end did not answer in time; the loops go
   * on asking. Absent where all were asked.
   */
  readonly unasked?: Readonly<Record<string, number>>
  /** The loop that goes on with the cancellation could not be started yet. What runs was asked to stop all the same. */
  readonly isLoopLate?: true
  /** What was found of each task that was named; empty for the whole dispatch. */
  readonly targets: readonly {
    readonly taskId: number
    readonly name: string
    readonly found: 'stopping' | 'abandoned' | 'finished'
    readonly state: TaskState
  }[]
}

/** Answer to `GET …/cancellations/{id}`. */
export interface CancellationView {
  readonly cancellationId: string
  readonly dispatchId: string
  readonly scope: 'dispatch' | 'tasks'
  readonly taskIds?: readonly number[]
  readonly mode: 'graceful' | 'force'
  readonly graceSeconds: number
  readonly reason: string
  readonly actor: string
  readonly source: string
  readonly at: string
  /**
   * `stopping` until every job in scope is confirmed; `unconfirmed` when one is overdue; `not-applied` when the request died
   * before its fence was written: nothing was stopped, ask again.
   */
  readonly state: 'stopping' | 'unconfirmed' | 'confirmed' | 'not-applied'
  readonly abandoned: number
  /** Jobs in scope whose end somebody did not wait for. */
  readonly givenUp?: readonly {
    readonly taskIds: readonly number[]
    readonly actor: string
    readonly reason: string
    readonly at: string
  }[]
  /** One entry a back end that had live jobs in scope. `confirmed` = cancelled + succeeded + failed. */
  readonly backends: Readonly<
    Record<
      string,
      {
        readonly requested: number
        readonly confirmed: number
        readonly unconfirmed: number
        readonly cancelled: number
        readonly succeeded: number
        readonly failed: number
      }
    >
  >
}

/** Answer to `POST …/redrive`: 202, or 200 for a dry run and where there was nothing to reopen. */
export interface RedriveAnswer {
  readonly dispatchId: string
  readonly dryRun: boolean
  /** How many tasks run again. */
  readonly reopened: number
  /** The same by what they had ended as. */
  readonly counts: { readonly failed: number; readonly cancelled: number; readonly skipped: number }
  /** Of a dry run: jobs that `force` would not wait for. */
  readonly unconfirmed?: number
  /** Of a dry run. */
  readonly tasks?: readonly {
    readonly taskId: number
    readonly name: string
    readonly state: 'failed' | 'cancelled' | 'skipped'
  }[]
}

export interface PageView<Item> {
  readonly items: readonly Item[]
  readonly cursor?: string
}

/** The body of every answer that is not 2xx. */
export interface ErrorBody {
  readonly code: string
  readonly message: string
  readonly details: readonly { readonly path: string; readonly message: string }[]
}
