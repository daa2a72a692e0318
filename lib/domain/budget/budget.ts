/** What a dispatch may spend, in US dollars. Approximate: it is held against what `measureSpend` says, turn by turn. */
export interface Budget {
  /** At this total, the dispatch is cancelled. */
  readonly limitUsd: number
  /** At this total, it is said once that the limit is near. */
  readonly warnAtUsd?: number
  /** Epoch milliseconds. */
  readonly warnedAt?: number
}
