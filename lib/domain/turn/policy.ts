import type { PriceOf } from '../budget/price.ts'
import type { JsonObject } from '../json.ts'

/** The times, sizes and prices that the planner goes by. */
export interface Policy {
  /** Between two looks at the live jobs, when no event tells. */
  readonly pollSeconds: number
  /** The same while a cancellation waits for confirmation. */
  readonly cancelPollSeconds: number
  /** How long a claim without a handle may still become a job: longer than any call in flight. */
  readonly leaseSeconds: number
  /** Between two looks for the job of a claim without a handle. */
  readonly recoverSeconds: number
  /** How long a job must have been unknown to its back end before it is looked for by name. */
  readonly settleSeconds: number
  /** After a fence: a job that is still live then is `unconfirmed`. */
  readonly confirmSeconds: number
  /** How long a host may be away before that is shown with its jobs. */
  readonly awaySeconds: number
  readonly submitsPerTurn: number
  /** How long one action may take: what is not done by then is left for the next turn. A submit ends within its lease. */
  readonly actSeconds: {
    /** Of a pack, whose members are all claimed first. */
    readonly pack: number
    readonly submit: number
    readonly recover: number
    readonly poll: number
    readonly cancel: number
  }
  /** By executor: how many tasks one action carries. */
  readonly chunks: Readonly<Record<string, ChunkSizes>>
  readonly priceOf: PriceOf
}

export interface ChunkSizes {
  readonly submit: number
  readonly poll: number
  readonly cancel: number
  /** Whether tasks of one pack become one job. */
  readonly packs?: boolean
  /**
   * Where a task with these options runs: its host, its cluster, its Region. What is asked of one place never waits for another,
   * so no action has tasks of two. Absent where all of it is one place.
   */
  placeOf?(options: JsonObject): string
}

export const defaultPolicy: Policy = {
  pollSeconds: 30,
  cancelPollSeconds: 5,
  leaseSeconds: 300,
  recoverSeconds: 15,
  settleSeconds: 30,
  confirmSeconds: 900,
  awaySeconds: 300,
  submitsPerTurn: 1000,
  actSeconds: { pack: 240, submit: 50, recover: 60, poll: 30, cancel: 60 },
  chunks: {},
  priceOf: () => undefined,
}
