import type { CancelSource } from '../fence.ts'
import type { Selector } from './selector.ts'

/** The record of one request to cancel many dispatches. */
export interface BulkCancellation {
  readonly id: string
  /** With the owner filled in: what `me` stood for, or whom the caller may speak for. */
  readonly selector: Selector
  readonly mode: 'graceful' | 'force'
  readonly graceSeconds: number
  readonly reason: string
  readonly actor: string
  /** Whether the actor was an admin when it was confirmed. */
  readonly isAdmin: boolean
  readonly source: CancelSource
  /** Epoch milliseconds. */
  readonly at: number
  /** What was found when it was confirmed; what comes later is not meant. */
  readonly dispatchIds: readonly string[]
  /** It is a part of what an event means, and not the last. */
  readonly hasMore?: true
  /** Since when every dispatch is with the runner. */
  readonly handedOverAt?: number
  /** When every dispatch had an outcome, and how many of each. */
  readonly ended?: BulkEnd
}

export interface BulkEnd {
  readonly at: number
  readonly done: number
  readonly failed: number
}

/** What became of one dispatch of a bulk cancellation. */
export type BulkOutcome = {
  readonly dispatchId: string
  readonly at: number
} & (
  | {
      readonly result: 'done'
      /** Absent where the dispatch had ended before, if only to be redriven since. */
      readonly cancellationId?: string
      readonly stopping: number
      readonly abandoned: number
      readonly finished: number
    }
  | { readonly result: 'failed'; readonly code: string; readonly message: string }
)

/** A bulk cancellation names its dispatches in one item of the table, 16 bytes each. */
export const maxBulkDispatches = 10_000

/** The dispatches of a bulk cancellation that have no outcome yet. */
export function leftOf(bulk: BulkCancellation, outcomes: readonly BulkOutcome[]): readonly string[] {
  const over = new Set(outcomes.map(({ dispatchId }) => dispatchId))
  return bulk.dispatchIds.filter((dispatchId) => !over.has(dispatchId))
}
