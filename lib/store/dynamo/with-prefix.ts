import type { QueryCommandInput } from '@aws-sdk/lib-dynamodb'
import { keys } from './items.ts'

/** A query for the items of a dispatch whose sort key begins with `prefix`. */
export function withPrefix(dispatchId: string, prefix: string): Omit<QueryCommandInput, 'TableName'> {
  return {
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': keys.partition(dispatchId), ':prefix': prefix },
  }
}
