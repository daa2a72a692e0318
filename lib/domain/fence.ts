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

/** `timeout`: the time limit of the dispatch itself. */
export type CancelSource = 'api' | 'budget' | 'alarm' | 'console' | 'parent' | 'timeout'
