import type { CancelSource, Fence } from './fence.ts'

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
