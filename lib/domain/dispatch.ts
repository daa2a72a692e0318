import type { Amounts } from './budget/amounts.ts'
import type { Budget } from './budget/budget.ts'
import type { Fence } from './fence.ts'
import type { Outcome } from './task-run.ts'

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
