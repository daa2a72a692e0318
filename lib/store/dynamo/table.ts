import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'

/** Names of the table's indexes. */
export const indexes = {
  /** Local, consistent: the claimed, unsettled tasks of a dispatch. */
  live: 'live',
  byOwner: 'by-owner',
  byOwnerAndId: 'by-owner-and-id',
  /** Sparse: META of the dispatches that have not ended, over a few shards. */
  open: 'open',
} as const

/** The one table: `pk = DISPATCH#<id>`, `sk` says what an item is (`items.ts`). */
export function tableDefinition(tableName: string) {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
      { AttributeName: 'live', AttributeType: 'N' },
      { AttributeName: 'owner', AttributeType: 'S' },
      { AttributeName: 'createdAt', AttributeType: 'N' },
      { AttributeName: 'dispatchId', AttributeType: 'S' },
      { AttributeName: 'open', AttributeType: 'S' },
    ],
    KeySchema: key('pk', 'sk'),
    LocalSecondaryIndexes: [
      // TASK items hold run state and no definitions, so the index may carry all of it.
      { IndexName: indexes.live, KeySchema: key('pk', 'live'), Projection: { ProjectionType: 'ALL' } },
    ],
    GlobalSecondaryIndexes: [
      // Keys only: a turn writes META often, and must not pay for an index each time.
      { IndexName: indexes.byOwner, KeySchema: key('owner', 'createdAt'), Projection: { ProjectionType: 'KEYS_ONLY' } },
      {
        IndexName: indexes.byOwnerAndId,
        KeySchema: key('owner', 'dispatchId'),
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
      { IndexName: indexes.open, KeySchema: key('open', 'createdAt'), Projection: { ProjectionType: 'KEYS_ONLY' } },
    ],
  } satisfies CreateTableCommandInput
}

function key(partition: string, sort: string) {
  return [
    { AttributeName: partition, KeyType: 'HASH' as const },
    { AttributeName: sort, KeyType: 'RANGE' as const },
  ]
}
