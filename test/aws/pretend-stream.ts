import { type AttributeValue, GetItemCommand } from '@aws-sdk/client-dynamodb'
import type { LocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { streamImage } from '../support/stream-image.ts'

type Send = (command: unknown) => Promise<unknown>
type Image = Record<string, AttributeValue>

interface Write {
  readonly pk: string
  readonly sk: string
}

/**
 * The stream of a table that has none: the item is read before and after each write. Writes of one item go one after the
 * other meanwhile, so that each record has the images of its own write.
 *
 * Source: Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB", sample event; binary values are base64 in it.
 */
export function createPretendStream(dynamo: LocalDynamo, send: Send, now: () => number) {
  const records: object[] = []
  const lasts = new Map<string, Promise<unknown>>()

  const read = async ({ pk, sk }: Write): Promise<Image | undefined> => {
    const Key = { pk: { S: pk }, sk: { S: sk } }
    const answer = await send(new GetItemCommand({ TableName: dynamo.tableName, Key, ConsistentRead: true }))
    return (answer as { Item?: Image }).Item
  }

  const observed = async <Answer>(key: Write, write: () => Promise<Answer>): Promise<Answer> => {
    const before = await read(key)
    const answer = await write()
    const after = await read(key)
    if (JSON.stringify(before) !== JSON.stringify(after))
      records.push(recordOf(records.length + 1, now(), key, before, after))
    return answer
  }

  return {
    records,
    /** Do a write of this item, and keep its record. */
    record: <Answer>(key: Write, write: () => Promise<Answer>): Promise<Answer> => {
      const name = `${key.pk} ${key.sk}`
      const turn = (lasts.get(name) ?? Promise.resolve()).then(() => observed(key, write))
      lasts.set(
        name,
        turn.catch(() => {}),
      )
      return turn
    },
  }
}

function recordOf(n: number, at: number, { pk, sk }: Write, before: Image | undefined, after: Image | undefined) {
  return {
    eventID: String(n),
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'eu-west-1',
    eventName: eventName(before, after),
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(at / 1000),
      Keys: { pk: { S: pk }, sk: { S: sk } },
      ...(before && { OldImage: streamImage(before) }),
      ...(after && { NewImage: streamImage(after) }),
      SequenceNumber: String(n).padStart(21, '0'),
      SizeBytes: 100,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    eventSourceARN: 'arn:aws:dynamodb:eu-west-1:111122223333:table/quench/stream/2026-11-23T12:00:00.000',
  }
}

function eventName(before: Image | undefined, after: Image | undefined): string {
  if (!before) return 'INSERT'
  return after ? 'MODIFY' : 'REMOVE'
}
