import { setTimeout as wait } from 'node:timers/promises'
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  type PutCommandInput,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb'
import { allPages } from './all-pages.ts'
import { badCursor } from './cursor.ts'
import { type Change, updateExpressions } from './expression.ts'
import { holds } from './holds.ts'
import { retryThrottled } from './retry-throttled.ts'

export interface Key {
  readonly pk: string
  readonly sk: string
}

// biome-ignore lint/suspicious/noExplicitAny: as the document client gives them; `items.ts` checks what they are.
type Item = Record<string, any>

type Query = Omit<QueryCommandInput, 'TableName'>

/** The few calls that everything in the table is made of. Reads are strongly consistent; a write says whether it held. */
export interface OpenTable {
  get(key: Key): Promise<Item | undefined>
  put(item: Item, condition?: PutCondition): Promise<boolean>
  update(key: Key, change: Change): Promise<boolean>
  /** As the query says, eventually consistent where it does not. Errors: InvalidInput for the cursor of another list. */
  queryPage(query: Query): Promise<QueryCommandOutput>
  queryAll(query: Query): Promise<Item[]>
  /** In no order; what is not there is left out. */
  batchGet(keys: readonly Key[]): Promise<Item[]>
}

type PutCondition = Pick<
  PutCommandInput,
  'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>

export const ifAbsent: PutCondition = { ConditionExpression: 'attribute_not_exists(pk)' }

/** BatchGetItem takes 100 keys (DynamoDB API reference, BatchGetItem). */
const batchGetKeys = 100

/**
 * What BatchGetItem leaves unprocessed is asked for again, later and later.
 *
 * Source: DynamoDB API reference, BatchGetItem, UnprocessedKeys: "use an exponential backoff algorithm".
 */
const unprocessedDelaysMs = [0, 50, 100, 200, 400, 800, 1600, 3200]

export function openTable(given: Pick<DynamoDBDocumentClient, 'send'>, tableName: string): OpenTable {
  const client = { send: (command) => retryThrottled(() => given.send(command)) } as typeof given
  const queryPage: OpenTable['queryPage'] = async (query) => {
    try {
      return await client.send(new QueryCommand({ TableName: tableName, ...query }))
    } catch (error) {
      // The key of another list, owner or dispatch: DynamoDB refuses to start outside of the query.
      if (query.ExclusiveStartKey && error instanceof Error && error.name === 'ValidationException')
        throw badCursor(error)
      throw error
    }
  }

  return {
    get: async (key) =>
      (await client.send(new GetCommand({ TableName: tableName, Key: { ...key }, ConsistentRead: true }))).Item,

    put: (item, condition) => holds(client.send(new PutCommand({ TableName: tableName, Item: item, ...condition }))),

    update: (key, change) =>
      holds(client.send(new UpdateCommand({ TableName: tableName, Key: { ...key }, ...updateExpressions(change) }))),

    queryPage,

    queryAll: (query) => allPages((start) => queryPage({ ...query, ExclusiveStartKey: start })),

    batchGet: async (keys) => {
      const items: Item[] = []
      for (let at = 0; at < keys.length; at += batchGetKeys) {
        let left: UpdateCommandInput['Key'][] = keys.slice(at, at + batchGetKeys).map((key) => ({ ...key }))
        for (let tries = 0; left.length > 0; tries++) {
          const delayMs = unprocessedDelaysMs[Math.min(tries, unprocessedDelaysMs.length - 1)] ?? 0
          if (tries > 0) await wait(Math.random() * delayMs)
          const answer = await client.send(
            new BatchGetCommand({
              RequestItems: { [tableName]: { Keys: left as Item[], ConsistentRead: true } },
            }),
          )
          items.push(...(answer.Responses?.[tableName] ?? []))
          left = answer.UnprocessedKeys?.[tableName]?.Keys ?? []
        }
      }
      return items
    },
  }
}
