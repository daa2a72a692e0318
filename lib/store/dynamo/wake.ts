import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { z } from 'zod'
import { keys, timeToLive } from './items.ts'

/** One execution of the state machine: the epoch that it runs, and how many executions of it there were, from 1. */
export interface Generation {
  readonly epoch: number
  readonly generation: number
}

/** The loop that runs a dispatch, as the `WAKE` item knows it. */
export interface Wake extends Generation {
  /** When its last turn began, in epoch milliseconds. */
  readonly turnAt: number
}

/**
 * Where the loop of a dispatch rests, and how it is woken: the `WAKE` item, made by the first turn.
 *
 * `seq` counts the news. A turn reads it before it plans, and the state machine rests on the condition that it is still
 * the same, storing its task token in that very write; whoever has news raises it and gets the token, if there is one.
 * So news is either seen by the turn that follows, or meets a token: none is lost. The next turn takes the token away,
 * not the bell: who rang and died before it used the token may ring again.
 */
export interface WakeStore {
  /**
   * A turn of `loop` begins. Gives `seq`; undefined where a newer loop has had a turn: then this one is to end.
   */
  beginTurn(dispatchId: string, loop: Generation, at: number): Promise<number | undefined>
  /** There is news. Gives the task token of a loop that rests; it may be stale. */
  ring(dispatchId: string, at: number): Promise<string | undefined>
  /** The newest loop that has had a turn; undefined before the first one. */
  read(dispatchId: string): Promise<Wake | undefined>
  /** Make `next` the newest loop, in the place of `seen` (undefined: of none). False where another has come first. */
  succeed(dispatchId: string, seen: Generation | undefined, next: Generation, at: number): Promise<boolean>
}

const wakeItem = z.object({ epoch: z.number(), generation: z.number(), turnAt: z.number() })

/** Of an item that `ring` has made before the first turn, or none at all. */
const isUnused = 'attribute_not_exists(epoch)'
/** Neither name is free in expressions. Source: DynamoDB developer guide, "Reserved words". */
const names = { '#token': 'token', '#ttl': 'ttl' }

export function createWakeStore(client: Pick<DynamoDBDocumentClient, 'send'>, tableName: string): WakeStore {
  const place = (dispatchId: string) => ({ TableName: tableName, Key: keys.wake(dispatchId) })

  return {
    beginTurn: async (dispatchId, { epoch, generation }, at) => {
      const written = client.send(
        new UpdateCommand({
          ...place(dispatchId),
          UpdateExpression:
            'SET epoch = :epoch, generation = :generation, turnAt = :at, seq = if_not_exists(seq, :zero), #ttl = :ttl ' +
            'REMOVE #token',
          ConditionExpression: `${isUnused} OR epoch < :epoch OR epoch = :epoch AND generation <= :generation`,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: {
            ':epoch': epoch,
            ':generation': generation,
            ':at': at,
            ':zero': 0,
            ':ttl': timeToLive(at),
          },
          ReturnValues: 'ALL_NEW',
        }),
      )
      const item = await whereHolds(written)
      return item && Number(item.Attributes?.seq)
    },

    ring: async (dispatchId, at) => {
      const { Attributes } = await client.send(
        new UpdateCommand({
          ...place(dispatchId),
          UpdateExpression: 'SET #ttl = :ttl ADD seq :one',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':ttl': timeToLive(at), ':one': 1 },
          ReturnValues: 'ALL_NEW',
        }),
      )
      return Attributes?.token
    },

    read: async (dispatchId) => {
      const { Item } = await client.send(new GetCommand({ ...place(dispatchId), ConsistentRead: true }))
      return Item?.epoch === undefined ? undefined : wakeItem.parse(Item)
    },

    succeed: async (dispatchId, seen, { epoch, generation }, at) => {
      const written = client.send(
        new UpdateCommand({
          ...place(dispatchId),
          UpdateExpression: 'SET epoch = :epoch, generation = :generation, turnAt = :at, #ttl = :ttl REMOVE #token',
          ConditionExpression: seen ? 'epoch = :seenEpoch AND generation = :seenGeneration' : isUnused,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: {
            ':epoch': epoch,
            ':generation': generation,
            ':at': at,
            ':ttl': timeToLive(at),
            ...(seen && { ':seenEpoch': seen.epoch, ':seenGeneration': seen.generation }),
          },
        }),
      )
      return (await whereHolds(written)) !== undefined
    },
  }
}

/** The answer of a conditional write; undefined where its condition did not hold. */
async function whereHolds<Answer>(write: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await write
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined
    throw error
  }
}
