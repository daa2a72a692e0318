import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { createPace, type Quota } from '../../back-ends/pace.ts'
import type { Store } from '../store.ts'
import { dynamoDispatches } from './dynamo-dispatches.ts'
import { dynamoLists } from './dynamo-lists.ts'
import { dynamoRuns } from './dynamo-runs.ts'
import { openTable } from './open-table.ts'

/**
 * The store on DynamoDB, whose claims keep within `claimQuota`, if there is one. `client` must leave out undefined values (`marshallOptions.removeUndefinedValues`).
 *
 * No transactions: what must be atomic lives in one item. A condition that fails because our own earlier write went
 * through and its answer was lost is recognised by reading the item back.
 */
export function createDynamoStore(
  client: Pick<DynamoDBDocumentClient, 'send'>,
  tableName: string,
  { claimQuota }: { readonly claimQuota?: Quota } = {},
): Store {
  const table = openTable(client, tableName)
  const pace = claimQuota && createPace(claimQuota)
  return { ...dynamoDispatches(table), ...dynamoRuns(table, pace), ...dynamoLists(table) }
}
