import type { BulkCancellation, BulkEnd, BulkOutcome } from '../domain/bulk/bulk.ts'

/**
 * Where bulk cancellations live: a record that names its dispatches, and an outcome for each of them.
 *
 * Every write may be repeated. Reads are strongly consistent, except for the list of those that are not over.
 */
export interface BulkStore {
  /** Put the record. Gives the one that is there, if there is one under this id. */
  put(bulk: BulkCancellation): Promise<BulkCancellation>
  read(bulkId: string): Promise<BulkCancellation | undefined>
  /** Every dispatch is with the runner now. */
  noteHandedOver(bulkId: string, at: number): Promise<void>
  /** Every dispatch has an outcome. Only the first end counts. */
  noteEnd(bulkId: string, end: BulkEnd): Promise<void>
  /** Keep an outcome. A first one stays, except that `done` takes the place of `failed`. */
  putOutcome(bulkId: string, outcome: BulkOutcome): Promise<void>
  /** The outcomes that there are: of these dispatches, or of all. */
  readOutcomes(bulkId: string, dispatchIds?: readonly string[]): Promise<readonly BulkOutcome[]>
  /** Ids of those without an end. */
  listOpen(): Promise<readonly string[]>
}
