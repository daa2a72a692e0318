import type { SQSBatchResponse } from 'aws-lambda'
import { noteJobNews } from '../app/act/note-job-news.ts'
import type { Context } from '../app/context.ts'
import type { JobNews } from '../back-ends/executor.ts'
import { readNews } from '../back-ends/registry.ts'
import { sqsEvent } from '../schema/lambda.ts'

interface Told {
  readonly messageId: string
  readonly news: JobNews
}

/**
 * Note what back ends told, as a batch of messages with EventBridge events in them.
 *
 * Shape: the messages that are to come again. One that cannot be read comes again too, and so ends in the dead-letter
 * queue, where people see it; events of others' jobs are passed over.
 * Source: Lambda developer guide, "Handling errors for an SQS event source", ReportBatchItemFailures.
 */
export async function noteEventBatch(context: Context, input: unknown): Promise<SQSBatchResponse> {
  const failed = new Set<string>()
  const told: Told[] = []
  for (const { messageId, body } of sqsEvent.parse(input).Records) {
    const event = tryParse(body)
    if (event === undefined) failed.add(messageId)
    const news = readNews(event)
    if (news) told.push({ messageId, news })
  }
  for (const [dispatchId, about] of Map.groupBy(told, ({ news }) => news.ref.dispatchId)) {
    try {
      await noteJobNews(
        context,
        about.map(({ news }) => news),
      )
      context.log({ decision: 'note-events', dispatchId, events: about.length })
    } catch (error) {
      for (const { messageId } of about) failed.add(messageId)
      context.log({ decision: 'note-failed', dispatchId, events: about.length, error: String(error) })
    }
  }
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) }
}

function tryParse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
