import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import type { BulkStore } from '../bulk-store.ts'
import { allPages } from './all-pages.ts'
import { bulkFromItem, bulkKeys, itemFromBulk, itemFromOutcome, openBulks, outcomeFromItem } from './bulk-items.ts'
import { type Condition, isAbsent, isPresent, updateExpressions } from './expression.ts'
import { holds } from './holds.ts'
import { indexes } from './table.ts'

/** Bulk cancellations on DynamoDB, in the table of the dispatches, each in a partition of its own. */
export function createDynamoBulks(client: Pick<DynamoDBDocumentClient, 'send'>, tableName: string): BulkStore {
  const get = async (key: { pk: string; sk: string }) =>
    (await client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }))).Item

  const queryAll = (input: Omit<QueryCommandInput, 'TableName'>) =>
    allPages((start) => client.send(new QueryCommand({ TableName: tableName, ...input, ExclusiveStartKey: start })))

  const note = (bulkId: string, set: Record<string, unknown>, when: Condition) =>
    holds(
      client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: bulkKeys.record(bulkId),
          ...updateExpressions({ set, when }),
        }),
      ),
    )

  return {
    put: async (bulk) => {
      const Item = itemFromBulk(bulk)
      const ConditionExpression = 'attribute_not_exists(pk)'
      const isFirst = await holds(client.send(new PutCommand({ TableName: tableName, Item, ConditionExpression })))
      return isFirst ? bulk : bulkFromItem(await get(bulkKeys.record(bulk.id)))
    },

    read: async (bulkId) => {
      const item = await get(bulkKeys.record(bulkId))
      return item && bulkFromItem(item)
    },

    noteHandedOver: async (bulkId, at) => {
      await note(bulkId, { handedOverAt: at }, isPresent('pk'))
    },

    noteEnd: async (bulkId, end) => {
      await note(bulkId, { ended: end, open: null }, isAbsent('ended'))
    },

    putOutcome: async (bulkId, outcome) => {
      await holds(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: itemFromOutcome(bulkId, outcome),
            ...(outcome.result === 'done'
              ? {
                  ConditionExpression: 'attribute_not_exists(pk) OR #result = :failed',
                  ExpressionAttributeNames: { '#result': 'result' },
                  ExpressionAttributeValues: { ':failed': 'failed' },
                }
              : { ConditionExpression: 'attribute_not_exists(pk)' }),
          }),
        ),
      )
    },

    readOutcomes: async (bulkId, dispatchIds) => {
      const pk = bulkKeys.partition(bulkId)
      const sorted = [...(dispatchIds ?? [])].sort()
      const [first, last] = [sorted[0], sorted.at(-1)]
      if (dispatchIds && (first === undefined || last === undefined)) return []
      // In a range of the sort key: one read for a page, which is in id order.
      const items = await queryAll({
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
        ExpressionAttributeValues: {
          ':pk': pk,
          ':first': bulkKeys.outcome(bulkId, first ?? '').sk,
          ':last': bulkKeys.outcome(bulkId, last ?? '~').sk,
        },
      })
      const wanted = dispatchIds && new Set(dispatchIds)
      return items.map(outcomeFromItem).filter(({ dispatchId }) => !wanted || wanted.has(dispatchId))
    },

    listOpen: async () => {
      const items = await queryAll({
        IndexName: indexes.open,
        KeyConditionExpression: '#open = :open',
        ExpressionAttributeNames: { '#open': 'open' },
        ExpressionAttributeValues: { ':open': openBulks },
      })
      return items.map(({ pk }) => String(pk).slice(bulkKeys.partition('').length))
    },
  }
}
