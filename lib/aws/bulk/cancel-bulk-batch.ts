import type { SQSBatchResponse } from 'aws-lambda'
import { cancelOneOfBulk } from '../../app/bulk/cancel-one-of-bulk.ts'
import type { Context } from '../../app/context.ts'
import type { BulkCancellation } from '../../domain/bulk/bulk.ts'
import { bulkMessage, sqsEvent } from '../../schema/lambda.ts'
import { tryJson } from '../../schema/parse-json.ts'

/**
 * Cancel the dispatches that the messages of the bulk queue name, all side by side.
 *
 * Shape: the messages that are to come again: those with a dispatch that could not be cancelled now; and those that
 * cannot be read, or name a dispatch that was not confirmed, which end among the dead letters. What has its outcome
 * already costs a read.
 */
export async function cancelBulkBatch(context: Context, event: unknown): Promise<SQSBatchResponse> {
  const { Records } = sqsEvent.parse(event)
  const isDone = await Promise.all(Records.map(({ body }) => cancelAll(context, body)))
  const failed = Records.filter((_, index) => !isDone[index])
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}

/** Whether an event is a batch of messages of a queue. */
export function isQueueEvent(event: unknown): boolean {
  return sqsEvent.safeParse(event).success
}

async function cancelAll(context: Context, body: string): Promise<boolean> {
  const { bulkId, dispatchIds = [] } = bulkMessage.safeParse(tryJson(body)).data ?? {}
  const bulk = bulkId === undefined ? undefined : await context.bulks.read(bulkId)
  if (!bulk || !dispatchIds.every((dispatchId) => bulk.dispatchIds.includes(dispatchId))) {
    context.log({ decision: 'bulk-unreadable', bulkId, dispatchIds })
    return false
  }
  const tried = await Promise.all(dispatchIds.map((dispatchId) => tryOne(context, bulk, dispatchId)))
  return tried.every(Boolean)
}

async function tryOne(context: Context, bulk: BulkCancellation, dispatchId: string): Promise<boolean> {
  try {
    await cancelOneOfBulk(context, bulk, dispatchId)
    return true
  } catch (error) {
    context.log({ decision: 'bulk-failed', bulkId: bulk.id, dispatchId, error: String(error) })
    return false
  }
}
