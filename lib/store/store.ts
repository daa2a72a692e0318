import type { Amounts } from '../domain/budget/amounts.ts'
import type { Budget } from '../domain/budget/budget.ts'
import type { Cancellation, GiveUp } from '../domain/cancellation.ts'
import type { Dispatch } from '../domain/dispatch.ts'
import type { Failure } from '../domain/failure.ts'
import type { Fence } from '../domain/fence.ts'
import type { Graph } from '../domain/graph/graph.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Settled } from '../domain/settled.ts'
import type { TaskRun } from '../domain/task-run.ts'
import type { TurnChanges } from '../domain/turn/plan-turn.ts'

/**
 * Where dispatches live. Every write is one conditional update and says whether its condition held; every read that
 * decides something is strongly consistent.
 *
 * Errors: whatever the database client throws. A write whose answer was lost may be repeated: each is either
 * idempotent or recognises its own effect.
 */
export interface Store {
  /**
   * Write graph, then META. False where a dispatch of this id exists already.
   *
   * A tombstone has no graph, and must not write one: the dispatch that it is to keep from being born may win with its META,
   * and would then have the tombstone's graph.
   */
  createDispatch(dispatch: Dispatch, graph?: Graph): Promise<boolean>
  readDispatch(dispatchId: string): Promise<Dispatch | undefined>
  /** Those that there are, by id; a hundred a call. */
  readDispatches(dispatchIds: readonly string[]): Promise<ReadonlyMap<string, Dispatch>>
  /** Immutable, so it may come from memory. */
  readGraph(dispatchId: string): Promise<Graph>
  /** The claimed, unsettled tasks, in id order. */
  readLive(dispatchId: string): Promise<readonly TaskRun[]>
  /** The tasks among `ids` that were ever claimed. */
  readRuns(dispatchId: string, ids: readonly number[]): Promise<readonly TaskRun[]>
  /** Every task that was ever claimed, in id order. */
  readAllRuns(dispatchId: string): Promise<readonly TaskRun[]>

  /** Commit a turn. False where META is no longer at `version`. */
  commitTurn(dispatchId: string, version: number, changes: TurnChanges): Promise<boolean>
  /** Take a settled task out of the live index; not where it was claimed anew since `run` was read. */
  clearLive(dispatchId: string, run: Pick<TaskRun, 'id' | 'claimId'>): Promise<void>
  /**
   * Begin another drive: open and running again, with no fence, in a new epoch. False where META is no longer at
   * `version`; true where it is this very redrive that has changed it.
   */
  redrive(dispatchId: string, version: number, changes: RedriveChanges): Promise<boolean>

  /** Claim an attempt. False where it is not to be had: claimed by someone else, done, or not waiting for a retry. */
  claim(dispatchId: string, claim: Claim): Promise<boolean>
  /** Give a claim back with nothing provisioned; `drop` takes the task out of the live index as well. */
  release(
    dispatchId: string,
    claim: Pick<Claim, 'taskId' | 'claimId'>,
    how: { drop: boolean; notBefore?: number; failure?: Failure },
  ): Promise<void>
  /** Write down which tasks a pack's job has as its elements, in their order; before the job is submitted. */
  putPack(dispatchId: string, leader: number, taskIds: readonly number[]): Promise<void>
  readPack(dispatchId: string, leader: number): Promise<readonly number[] | undefined>
  /** Keep the handle of an attempt. False where the attempt is over or has another handle: the job is a twin. */
  storeHandle(dispatchId: string, attempt: AttemptRef, handle: JsonObject, submittedAt: number): Promise<boolean>
  /**
   * Note what is new about an attempt. False where it is over already: an end is written once. With `unlessTimedOut`, false
   * also where it was asked to stop for its time limit meanwhile: what is new means something else then.
   */
  noteRun(
    dispatchId: string,
    attempt: AttemptRef & { readonly unlessTimedOut?: boolean },
    change: RunChange,
  ): Promise<boolean>

  /** Put the record. Gives the record that is there, if there is one under this id. */
  putCancellation(cancellation: Cancellation): Promise<Cancellation>
  readCancellation(dispatchId: string, cancellationId: string): Promise<Cancellation | undefined>
  listCancellations(dispatchId: string): Promise<readonly Cancellation[]>
  /** Add to the record whose end was not waited for. False where the record has changed since it was read. */
  noteGivenUp(dispatchId: string, cancellation: Pick<Cancellation, 'id' | 'givenUp'>, giveUp: GiveUp): Promise<boolean>
  /** Keep what a fence knew, for when it is taken away. */
  closeCancellation(dispatchId: string, cancellationId: string, final: Required<Cancellation>['final']): Promise<void>
  /**
   * Write a fence; a drain raises the epoch as well. Who writes it makes the first kill pass, unless `leavesPass`: then the
   * loop makes it at once. False where the dispatch has ended, or `epoch` is no longer its epoch, or `version`, where it is
   * given, no longer its version.
   */
  writeFence(
    dispatchId: string,
    fence: Fence,
    at: { epoch: number; isDrain: boolean; leavesPass?: boolean; version?: number | undefined },
  ): Promise<boolean>
  /** Change what a dispatch may spend. Planners that know the old budget cannot commit over it. */
  setBudget(dispatchId: string, budget: Budget): Promise<void>

  addHistory(dispatchId: string, at: number, lines: readonly string[]): Promise<void>
  listHistory(dispatchId: string, page: PageRequest): Promise<Page<DispatchEvent>>

  listByOwner(owner: string, page: PageRequest): Promise<Page<Dispatch>>
  /** Ids of the owner's dispatches that begin with `prefix`; at most `limit`. */
  findByPrefix(owner: string, prefix: string, limit: number): Promise<readonly string[]>
  /** Dispatches that have not ended. Eventually consistent. */
  listOpen(): Promise<readonly string[]>
}

export interface AttemptRef {
  readonly taskId: number
  readonly attempt: number
}

export interface Claim extends AttemptRef {
  /** Tells our own claim from another's when an answer was lost. */
  readonly claimId: string
  readonly executor: string
  readonly at: number
  /** Of a retry: what the attempts before it have cost. */
  readonly earlierSpend?: Amounts
  /** Of a member of a pack: after which member its job is named. */
  readonly packLeader?: number
  /** How often the dispatch was redriven, where it was. */
  readonly redrive?: number
  /** The claim of an older drive after which this attempt comes. */
  readonly follows?: string
}

/** What a redrive writes into META, all of it in one update. */
export type RedriveChanges = Settled &
  Required<Pick<Dispatch, 'redrives' | 'redriveKey' | 'reopened' | 'drivenAt'>> &
  Pick<Dispatch, 'openedAt'>

/** `null` takes an attribute away. */
export interface RunChange {
  readonly state?: TaskRun['state']
  readonly handle?: JsonObject
  readonly startedAt?: number
  readonly endedAt?: number
  readonly exitCode?: number
  readonly failure?: TaskRun['failure']
  readonly timedOutAt?: number
  readonly childSpend?: Amounts
  readonly waitReason?: string | null
  readonly missingSince?: number | null
  readonly away?: TaskRun['away'] | null
  readonly searchedTo?: number
  readonly cancelError?: string | null
}

export interface PageRequest {
  readonly limit: number
  readonly cursor?: string
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor?: string
}

export interface DispatchEvent {
  /** Epoch milliseconds. */
  readonly at: number
  readonly lines: readonly string[]
}
