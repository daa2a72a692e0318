import type { Amounts } from './budget/amounts.ts'
import type { Failure } from './failure.ts'
import type { JsonObject } from './json.ts'

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
  /** Why its queued job waits, in the words of its back end. */
  readonly waitReason?: string
  /** Since when the back end has said that it does not know the job. */
  readonly missingSince?: number
  /** Since when, by our clock, the machine that could tell about its job has not been there, and what is known of that. */
  readonly away?: { readonly since: number; readonly message: string }
  /** Its job is not among all that its back end has made until then: a look by name goes on from here. */
  readonly searchedTo?: number
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
