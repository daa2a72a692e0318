import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { BulkStore } from '../bulk-store.ts'
import { bulkFromItem, bulkKeys, itemFromBulk, itemFromOutcome, openBulks, outcomeFromItem } from './bulk-items.ts'
import { type Condition, isAbsent, isPresent } from './expression.ts'
import { ifAbsent, openTable } from './open-table.ts'
import { indexes } from './table.ts'

const unlessDone = {
  ConditionExpression: 'attribute_not_exists(pk) OR #result = :failed',
  ExpressionAttributeNames: { '#result': 'result' },
  ExpressionAttributeValues: { ':failed': 'failed' },
}

/** Bulk cancellations on DynamoDB, in the table of the dispatches, each in a partition of its own. */
export function createDynamoBulks(client: Pick<DynamoDBDocumentClient, 'send'>, tableName: string): BulkStore {
  const table = openTable(client, tableName)
  const note = (bulkId: string, set: Record<string, unknown>, when: Condition) =>
    table.update(bulkKeys.record(bulkId), { set, when })

  return {
    put: async (bulk) => {
      const isFirst = await table.put(itemFromBulk(bulk), ifAbsent)
      return isFirst ? bulk : bulkFromItem(await table.get(bulkKeys.record(bulk.id)))
    },

    read: async (bulkId) => {
      const item = await table.get(bulkKeys.record(bulkId))
      return item && bulkFromItem(item)
    },

    noteHandedOver: async (bulkId, at) => {
      await note(bulkId, { handedOverAt: at }, isPresent('pk'))
    },

    noteEnd: async (bulkId, end) => {
      await note(bulkId, { ended: end, open: null }, isAbsent('ended'))
    },

    putOutcome: async (bulkId, outcome) => {
      await table.put(itemFromOutcome(bulkId, outcome), outcome.result === 'done' ? unlessDone : ifAbsent)
    },

    readOutcomes: async (bulkId, dispatchIds) => {
      const pk = bulkKeys.partition(bulkId)
      const sorted = [...(dispatchIds ?? [])].sort()
      const [first, last] = [sorted[0], sorted.at(-1)]
      if (dispatchIds && (first === undefined || last === undefined)) return []
      // In a range of the sort key: one read for a page, which is in id order.
      const items = await table.queryAll({
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
      const items = await table.queryAll({
        IndexName: indexes.open,
        KeyConditionExpression: '#open = :open',
        ExpressionAttributeNames: { '#open': 'open' },
        ExpressionAttributeValues: { ':open': openBulks },
      })
      return items.map(({ pk }) => String(pk).slice(bulkKeys.partition('').length))
    },
  }
}
