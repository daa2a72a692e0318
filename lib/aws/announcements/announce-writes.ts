import type { EventBridgeClient, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import type { DynamoDBBatchResponse } from 'aws-lambda'
import { eventsOfDispatch, eventsOfRun } from '../../app/announcements/describe-changes.ts'
import { eventSource, type StateChangeEvent } from '../../schema/announcements.ts'
import { streamEvent } from '../../schema/lambda.ts'
import { type Images, readWritten } from '../../store/dynamo/written-item.ts'
import type { Store } from '../../store/store.ts'
import { logDecision } from '../log-decision.ts'
import { putEvents } from './put-announcements.ts'

interface Announcer {
  readonly store: Store
  readonly bus: Pick<EventBridgeClient, 'send'>
}

/**
 * Tell the default bus what a batch of the table's writes changed.
 *
 * Events come from the writes themselves, so none is lost when a function dies after its write. A batch may come again:
 * its events then have the same ids.
 * Shape: the writes from the first of which the batch is to come again.
 * Source: Lambda developer guide, "Configuring partial batch response with DynamoDB and Lambda".
 */
export async function announceWrites({ store, bus }: Announcer, input: unknown): Promise<DynamoDBBatchResponse> {
  const reads = { ...store, readDispatch: onceEach(store.readDispatch) }
  const failed: string[] = []
  const entries: PutEventsRequestEntry[] = []
  const numberOf: string[] = []
  for (const { dynamodb } of streamEvent.parse(input).Records) {
    const { SequenceNumber, ApproximateCreationDateTime: writtenAt } = dynamodb
    try {
      for (const event of await eventsOf(reads, dynamodb)) {
        entries.push(entryOf(event, writtenAt))
        numberOf.push(SequenceNumber)
      }
    } catch (error) {
      // What follows comes again with it.
      failed.push(SequenceNumber)
      logDecision({ decision: 'announce-failed', sequenceNumber: SequenceNumber, message: String(error) })
      break
    }
  }
  const refused = await putEvents(bus, entries)
  failed.push(...refused.map((index) => numberOf[index] as string))
  if (entries.length > 0) logDecision({ decision: 'announce', events: entries.length, refused: refused.length })
  return { batchItemFailures: [...new Set(failed)].map((itemIdentifier) => ({ itemIdentifier })) }
}

async function eventsOf(store: Store, images: Images): Promise<readonly StateChangeEvent[]> {
  const written = readWritten(images)
  switch (written?.kind) {
    case undefined:
      return []
    case 'dispatch':
      return eventsOfDispatch(store, written.before, written.after)
    case 'run':
      return eventsOfRun(store, written.dispatchId, written.before, written.after)
  }
}

/** Read a dispatch once for all writes of a batch: only what never changes is taken from it. */
function onceEach(read: Store['readDispatch']): Store['readDispatch'] {
  const known = new Map<string, ReturnType<typeof read>>()
  return (dispatchId) => {
    const dispatch = known.get(dispatchId) ?? read(dispatchId)
    known.set(dispatchId, dispatch)
    return dispatch
  }
}

/** `writtenAt`, in epoch seconds, is not in every record. */
function entryOf({ detailType, detail }: StateChangeEvent, writtenAt: number | undefined): PutEventsRequestEntry {
  const entry = { Source: eventSource, DetailType: detailType, Detail: JSON.stringify(detail) }
  return writtenAt === undefined ? entry : { ...entry, Time: new Date(writtenAt * 1000) }
}
