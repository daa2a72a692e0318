import type { Budget } from './budget/budget.ts'
import type { Amounts } from './budget/spend.ts'
import type { Failure } from './failure.ts'
import type { JsonObject } from './json.ts'

/** One run of a graph: what META holds, and all that a turn needs to know beside the live tasks. */
export interface Dispatch {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly tags: Readonly<Record<string, string>>
  readonly taskCount: number
  /** Of its tasks, and of the graphs inside them; absent where the dispatch is older than the field. */
  readonly executors?: readonly string[]
  readonly status: DispatchStatus
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly endedAt?: number
  /** Two bits a task: open, succeeded, failed, cancelled-or-skipped (`settled.ts`). */
  readonly settled: Uint8Array
  /** One bit a task: which of cancelled-or-skipped it is. Absent while nothing has been skipped. */
  readonly skipped?: Uint8Array
  /** By cancellation id. */
  readonly fences: Readonly<Record<string, Fence>>
  /** When the loop last asked the back ends about the live jobs. */
  readonly polledAt?: number
  /** The kill passes over what the fences cover: when the last began, and how many there were. */
  readonly killPass?: { readonly at: number; readonly count: number }
  /** Grows with every drain and redrive: an action of an older epoch does nothing. */
  readonly epoch: number
  /** How often it was redriven. Absent: never. */
  readonly redrives?: number
  /** Which request the last redrive was, and what it reopened: asked again, it gets the same answer. */
  readonly redriveKey?: string
  readonly reopened?: ReopenedCounts
  /** When the last redrive began. Absent: it has been driven since `createdAt`. */
  readonly drivenAt?: number
  /** When a redrive last opened it after it had ended. Absent: it has been open since `createdAt`. */
  readonly openedAt?: number
  /** Of a sublattice's child. */
  readonly parent?: Parent
  readonly budget?: Budget
  /** What the settled tasks have cost: written in the update that settles them, so each is counted once. */
  readonly spent?: Amounts
  /** The total that the meter has told of last, in US dollars. */
  readonly meteredUsd?: number
  /** Grows with every write: a turn commits only over the version it has read. */
  readonly version: number
}

/** What a child dispatch knows of the sublattice task whose job it is. */
export interface Parent {
  readonly dispatchId: string
  readonly taskId: number
  readonly attempt: number
  /** 1 for a child of a dispatch that a user made. */
  readonly depth: number
}

/** By what they were settled as before. */
export type ReopenedCounts = Readonly<Record<Exclude<Outcome, 'succeeded'>, number>>

export type DispatchStatus = 'running' | 'succeeded' | 'failed' | 'cancelled'

/** The mark that forbids starts in a cancellation's scope. */
export interface Fence {
  readonly id: string
  /** A bit a task, or the whole dispatch. */
  readonly scope: Uint8Array | 'all'
  readonly mode: 'graceful' | 'force'
  readonly graceSeconds: number
  readonly reason: string
  readonly source?: CancelSource
  /** Epoch milliseconds. */
  readonly at: number
  /** How many tasks in scope were given up before they had started. */
  readonly abandoned: number
  /** How the live tasks in scope ended, by executor: written in the same update that settles them. */
  readonly ended: Readonly<Record<string, EndCounts>>
  /** When a turn first saw a job in scope that was overdue (`task-state.ts`). */
  readonly unconfirmedAt?: number
}

export interface EndCounts {
  readonly cancelled: number
  readonly succeeded: number
  readonly failed: number
  /** Given up by a forced redrive: their end was never confirmed. Not among the cancelled. */
  readonly unconfirmed?: number
}

/** The current attempt of a task that has been claimed at least once: what `TASK#<id>` holds. */
export interface TaskRun {
  readonly id: number
  readonly attempt: number
  /** In which redrive it was claimed; absent for the first drive. */
  readonly redrive?: number
  /** The first attempt of that redrive, where there were others before it: retries count from here. */
  readonly firstAttempt?: number
  readonly executor: string
  readonly state: RunState
  /** Claimed and not settled yet. */
  readonly live: boolean
  readonly claimId: string
  readonly claimedAt: number
  /** Of a claim for a pack: the member after which its job is named. */
  readonly packLeader?: number
  readonly handle?: JsonObject
  readonly submittedAt?: number
  readonly startedAt?: number
  readonly endedAt?: number
  readonly exitCode?: number
  readonly failure?: Failure
  /** When it was asked to stop for its time limit: however it ends then, unless by success, it has timed out. */
  readonly timedOutAt?: number
  /** What the attempts of this task before this one have cost. */
  readonly earlierSpend?: Amounts
  /** Of a sublattice: what its child has spent, as last seen. */
  readonly childSpend?: Amounts
  /** A released claim is not taken up again before this moment. */
  readonly notBefore?: number
  /** Since when the back end has said that it does not know the job. */
  readonly missingSince?: number
  /** Why the last request to stop the job failed; the next pass asks again. */
  readonly cancelError?: string
}

/**
 * State of one attempt. `submitting`: claimed, no handle yet. `released`: claimed, then given back with nothing
 * provisioned. `lost`: the back end does not have it, and it is not to be found by name either.
 */
export type RunState = 'submitting' | 'released' | 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost'

/** How a task is settled. Final. */
export type Outcome = 'succeeded' | 'failed' | 'cancelled' | 'skipped'

/** The record of one cancel request. */
export interface Cancellation {
  readonly id: string
  readonly dispatchId: string
  /** The tasks that were named, sorted; absent for the whole dispatch. */
  readonly taskIds?: readonly number[]
  readonly mode: 'graceful' | 'force'
  readonly graceSeconds: number
  readonly reason: string
  readonly actor: string
  readonly source: CancelSource
  /** Epoch milliseconds. */
  readonly at: number
  readonly idempotencyKey?: string
  /** What its fence knew when a redrive took the fence away: it is over, and must not be raised again. */
  readonly final?: Pick<Fence, 'abandoned' | 'ended'>
}

/** `timeout`: the time limit of the dispatch itself. */
export type CancelSource = 'api' | 'budget' | 'alarm' | 'console' | 'parent' | 'timeout'
