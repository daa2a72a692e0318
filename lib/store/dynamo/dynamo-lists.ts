import { randomUUID } from 'node:crypto'
import type { Store } from '../store.ts'
import { cursorKey, nextCursor } from './cursor.ts'
import { allOpenShards, dispatchFromItem, keys, timeToLive } from './items.ts'
import type { OpenTable } from './open-table.ts'
import { indexes } from './table.ts'
import { withPrefix } from './with-prefix.ts'

type Lists = Pick<Store, 'addHistory' | 'listHistory' | 'listByOwner' | 'findByPrefix' | 'listOpen'>

/** Dispatches by owner, those that are open, and what happened in one of them. */
export function dynamoLists(table: OpenTable): Lists {
  return {
    addHistory: async (dispatchId, at, lines) => {
      await table.put({ ...keys.event(dispatchId, at, randomUUID()), at, lines, ttl: timeToLive(at) })
    },

    listHistory: async (dispatchId, { limit, cursor }) => {
      const page = await table.queryPage({
        ...withPrefix(dispatchId, 'EVENT#'),
        Limit: limit,
        ExclusiveStartKey: cursor === undefined ? undefined : cursorKey(cursor),
      })
      return {
        items: (page.Items ?? []).map((item) => ({ at: item.at, lines: item.lines })),
        ...nextCursor(page.LastEvaluatedKey),
      }
    },

    listByOwner: async (owner, { limit, cursor }) => {
      const page = await table.queryPage({
        IndexName: indexes.byOwner,
        KeyConditionExpression: '#owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner },
        ScanIndexForward: false,
        Limit: limit,
        ExclusiveStartKey: cursor === undefined ? undefined : cursorKey(cursor),
      })
      const order = (page.Items ?? []).map((item) => String(item.pk))
      const found = new Map(
        (await table.batchGet(order.map((pk) => ({ pk, sk: 'META' })))).map((item) => [item.pk, item]),
      )
      return {
        items: order.flatMap((pk) => (found.has(pk) ? [dispatchFromItem(found.get(pk))] : [])),
        ...nextCursor(page.LastEvaluatedKey),
      }
    },

    findByPrefix: async (owner, prefix, limit) => {
      const page = await table.queryPage({
        IndexName: indexes.byOwnerAndId,
        KeyConditionExpression: '#owner = :owner AND begins_with(dispatchId, :prefix)',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner, ':prefix': prefix },
        Limit: limit,
      })
      return (page.Items ?? []).map((item) => String(item.dispatchId))
    },

    listOpen: async () => {
      const shards = await Promise.all(
        allOpenShards.map((shard) =>
          table.queryAll({
            IndexName: indexes.open,
            KeyConditionExpression: '#open = :open',
            ExpressionAttributeNames: { '#open': 'open' },
            ExpressionAttributeValues: { ':open': shard },
          }),
        ),
      )
      return shards.flat().map((item) => String(item.pk).slice('DISPATCH#'.length))
    },
  }
}
