import { setTimeout as sleep } from 'node:timers/promises'
import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { concurrently } from '../../app/concurrently.ts'

/** Source: EventBridge API reference, PutEvents: 10 entries a request. */
const entriesPerCall = 10
/** Source: EventBridge user guide, "Calculating PutEvents event entry size": 256 KB in all, of which this is the details' part. */
const maxCallBytes = 240 * 1024
/** PutEvents' quota of calls a second is the whole account's (user guide, "Quotas"): a crowd of events is not to use it up. */
const callsAtOnce = 4
const tries = 4
const firstDelayMs = 50

/**
 * Put events on the account's default bus, and again those that were refused.
 *
 * Shape: where in `entries` those stand that EventBridge has not taken in the end.
 * Source: EventBridge user guide, "Sending events with PutEvents": an answer may hold both successes and failures, in
 * the order of the request.
 */
export async function putEvents(
  bus: Pick<EventBridgeClient, 'send'>,
  entries: readonly PutEventsRequestEntry[],
): Promise<readonly number[]> {
  const left = await concurrently(callsAtOnce, cut(entries), (chunk) => putChunk(bus, entries, chunk))
  return left.flat()
}

async function putChunk(
  bus: Pick<EventBridgeClient, 'send'>,
  entries: readonly PutEventsRequestEntry[],
  chunk: readonly number[],
): Promise<readonly number[]> {
  let left = chunk
  for (let attempt = 0; left.length > 0 && attempt < tries; attempt++) {
    if (attempt > 0) await sleep(firstDelayMs * 2 ** attempt)
    const Entries = left.map((index) => entries[index] as PutEventsRequestEntry)
    const answer = await bus.send(new PutEventsCommand({ Entries }))
    left = left.filter((_, n) => answer.Entries?.[n]?.EventId === undefined)
  }
  return left
}

/** The places of entries, in groups that fit a call. */
function cut(entries: readonly PutEventsRequestEntry[]): readonly (readonly number[])[] {
  const chunks: number[][] = []
  let sizeBytes = 0
  for (const [index, { Detail = '' }] of entries.entries()) {
    const entryBytes = Buffer.byteLength(Detail)
    const open = chunks.at(-1)
    if (open && open.length < entriesPerCall && sizeBytes + entryBytes <= maxCallBytes) {
      open.push(index)
      sizeBytes += entryBytes
    } else {
      chunks.push([index])
      sizeBytes = entryBytes
    }
  }
  return chunks
}
