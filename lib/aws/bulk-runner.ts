import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { BulkRunner } from '../app/bulk-runner.ts'
import { BackendUnavailable } from '../domain/errors.ts'

interface SqsBulkRunnerOptions {
  readonly sqs: Pick<SQSClient, 'send'>
  readonly queueUrl: string
}

/** What one invocation works on, side by side. */
const dispatchesPerMessage = 10
/** Source: SQS API reference, SendMessageBatch. */
const messagesPerCall = 10

/**
 * A cancel calls StopExecution twice, of which smaller Regions allow 25 a second after a burst of 500: 200 dispatches
 * may be cancelled at once, then 10 a second, a message each second. What would be due after the longest delay there
 * is comes then, and waits for its turn in the queue.
 * Source: Step Functions developer guide, "Quotas"; SQS API reference, SendMessageBatchRequestEntry, DelaySeconds.
 */
const messagesAtOnce = 20
const longestDelaySeconds = 900

const delaySeconds = (message: number) => Math.min(longestDelaySeconds, Math.max(0, message - messagesAtOnce))

/**
 * Bulk cancellations by way of a queue, which `cancel` works off.
 *
 * Errors: BackendUnavailable where not every message was taken: ask again, what went twice does no harm.
 * Source: SQS API reference, SendMessageBatch: an answer of 200 may name messages that failed.
 */
export function createSqsBulkRunner({ sqs, queueUrl }: SqsBulkRunnerOptions): BulkRunner {
  return {
    enqueue: async (bulkId, dispatchIds) => {
      const messages = slices(dispatchIds, dispatchesPerMessage).map((ids, index) => ({
        Id: String(index),
        MessageBody: JSON.stringify({ bulkId, dispatchIds: ids }),
        DelaySeconds: delaySeconds(index),
      }))
      for (const some of slices(messages, messagesPerCall)) {
        const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [...some] })
        const [failed] = (await sqs.send(command)).Failed ?? []
        if (failed)
          throw new BackendUnavailable(`the queue did not take all of it: ${failed.Code}`, { arrived: 'unknown' })
      }
    },
  }
}

function slices<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size))
}
