import { type BulkCancellation, leftOf } from '../../domain/bulk/bulk.ts'
import type { Context } from '../context.ts'

/**
 * See to it that a bulk cancellation that nobody may be working on any more gets done: hand what has no outcome to the
 * runner again, or note its end where nothing is left.
 *
 * Shape: how many were left.
 */
export async function resumeBulk(context: Context, bulk: BulkCancellation): Promise<number> {
  const { bulks, bulkRunner, now } = context
  const left = await closeIfDone(context, bulk)
  if (left.length === 0) return 0
  await bulkRunner.enqueue(bulk.id, left)
  await bulks.noteHandedOver(bulk.id, now())
  return left.length
}

/** Give up what has no outcome: a failure that people see is better than work that comes back for ever. */
export async function giveUpBulk(context: Context, bulk: BulkCancellation): Promise<number> {
  const { bulks, now } = context
  const left = await closeIfDone(context, bulk)
  const message = 'it could not be cancelled for a long time; the log of the function cancel says why: cancel it again'
  for (const dispatchId of left)
    await bulks.putOutcome(bulk.id, { dispatchId, at: now(), result: 'failed', code: 'GivenUp', message })
  if (left.length > 0) await closeIfDone(context, bulk)
  return left.length
}

/** Note the end of a bulk cancellation when every dispatch has its outcome. Gives those that have none. */
export async function closeIfDone({ bulks, now }: Context, bulk: BulkCancellation): Promise<readonly string[]> {
  const outcomes = await bulks.readOutcomes(bulk.id)
  const left = leftOf(bulk, outcomes)
  if (left.length > 0 || bulk.ended) return left
  const failed = outcomes.filter(({ result }) => result === 'failed').length
  await bulks.noteEnd(bulk.id, { at: now(), done: outcomes.length - failed, failed })
  return left
}
