import type { BulkCancellation, BulkOutcome } from '../../domain/bulk/bulk.ts'
import { isRefusal } from '../../domain/errors.ts'
import { cancelDispatch } from '../cancel/cancel-dispatch.ts'
import type { Context } from '../context.ts'

/**
 * Cancel one dispatch of a bulk cancellation, and keep what came of it.
 *
 * The cancel has an idempotency key after the bulk's id: whoever died between the cancel and its outcome is followed by
 * one who finds the cancellation there, and makes no second one. It takes as long as a first kill pass may.
 *
 * What had ended and was redriven since the request is not meant: it is done, and nothing of it is cancelled.
 * Errors: everything that may go better the next time: the runner comes again. What never will is an outcome.
 */
export async function cancelOneOfBulk(context: Context, bulk: BulkCancellation, dispatchId: string): Promise<void> {
  const { bulks, store, log } = context
  const [known] = await bulks.readOutcomes(bulk.id, [dispatchId])
  if (known) return
  const { openedAt = 0 } = (await store.readDispatch(dispatchId)) ?? {}
  const isLater = openedAt > bulk.at
  const outcome = isLater ? nothingMeant(context, dispatchId) : await cancelOrFail(context, bulk, dispatchId)
  await bulks.putOutcome(bulk.id, outcome)
  log({ decision: 'cancel-one-of-bulk', bulkId: bulk.id, dispatchId, result: outcome.result })
}

async function cancelOrFail(context: Context, bulk: BulkCancellation, dispatchId: string): Promise<BulkOutcome> {
  const { now } = context
  const { source } = bulk
  const caller = { id: bulk.actor, isAdmin: bulk.isAdmin }
  const order = { reason: bulk.reason, mode: bulk.mode, graceSeconds: bulk.graceSeconds, dryRun: false }
  try {
    const answer = await cancelDispatch(context, caller, dispatchId, order, { source, idempotencyKey: bulk.id })
    const { cancellationId, counts } = answer
    const { stopping, abandoned, finished } = counts
    const made = cancellationId === undefined ? {} : { cancellationId }
    return { dispatchId, at: now(), result: 'done', ...made, stopping, abandoned, finished }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { dispatchId, at: now(), result: 'failed', code: error.code, message: error.message }
  }
}

function nothingMeant({ now }: Context, dispatchId: string): BulkOutcome {
  return { dispatchId, at: now(), result: 'done', stopping: 0, abandoned: 0, finished: 0 }
}
