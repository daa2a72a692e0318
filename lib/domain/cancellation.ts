import type { CancelSource, Fence } from './fence.ts'

/** A decision not to wait for the end of jobs that a cancellation has asked to stop. */
export interface GiveUp {
  readonly taskIds: readonly number[]
  readonly actor: string
  readonly reason: string
  /** Epoch milliseconds. */
  readonly at: number
}

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
  /** Jobs in its scope whose end somebody did not wait for. */
  readonly givenUp?: readonly GiveUp[]
  /** What its fence knew when a redrive took the fence away: it is over, and must not be raised again. */
  readonly final?: Pick<Fence, 'abandoned' | 'ended'>
}
