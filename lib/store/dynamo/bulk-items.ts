import { z } from 'zod'
import type { BulkCancellation, BulkOutcome } from '../../domain/bulk/bulk.ts'
import { selectableStatuses } from '../../domain/bulk/selector.ts'
import { packIds, unpackIds } from './id-list.ts'
import { exact, timeToLive } from './items.ts'

/** Bulk cancellations without an end are in the index `open`, in a shard of their own. */
export const openBulks = 'BULK'

export const bulkKeys = {
  partition: (bulkId: string) => `BULK#${bulkId}`,
  record: (bulkId: string) => ({ pk: bulkKeys.partition(bulkId), sk: 'RECORD' }),
  outcome: (bulkId: string, dispatchId: string) => ({
    pk: bulkKeys.partition(bulkId),
    sk: `OUTCOME#${dispatchId}`,
  }),
}

const selector = z.object({
  all: z.literal(true).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  owner: z.string().optional(),
  status: z.enum(selectableStatuses).optional(),
  olderThanSeconds: z.number().optional(),
  backend: z.string().optional(),
  name: z.string().optional(),
})

const recordItem = z.object({
  bulkId: z.string(),
  selector,
  mode: z.enum(['graceful', 'force']),
  graceSeconds: z.number(),
  reason: z.string(),
  actor: z.string(),
  isAdmin: z.boolean(),
  source: z.enum(['api', 'budget', 'alarm', 'console', 'parent']),
  createdAt: z.number(),
  ids: z.instanceof(Uint8Array),
  hasMore: z.literal(true).optional(),
  handedOverAt: z.number().optional(),
  ended: z.object({ at: z.number(), done: z.number(), failed: z.number() }).optional(),
})

const outcomeItem = z.discriminatedUnion('result', [
  z.object({
    result: z.literal('done'),
    dispatchId: z.string(),
    at: z.number(),
    cancellationId: z.string().optional(),
    stopping: z.number(),
    abandoned: z.number(),
    finished: z.number(),
  }),
  z.object({
    result: z.literal('failed'),
    dispatchId: z.string(),
    at: z.number(),
    code: z.string(),
    message: z.string(),
  }),
])

export function bulkFromItem(item: unknown): BulkCancellation {
  const { bulkId, createdAt, ids, selector, ...rest } = exact(recordItem.parse(item))
  return { id: bulkId, at: createdAt, dispatchIds: unpackIds(ids), selector: exact(selector), ...rest }
}

/** Without an `owner` or a `dispatchId`: it must not turn up among the dispatches in an index. */
export function itemFromBulk({ id, at, dispatchIds, ...rest }: BulkCancellation) {
  return {
    ...bulkKeys.record(id),
    bulkId: id,
    createdAt: at,
    ids: packIds(dispatchIds),
    ...rest,
    ...(rest.ended === undefined && { open: openBulks }),
    ttl: timeToLive(at),
  }
}

export function outcomeFromItem(item: unknown): BulkOutcome {
  return exact(outcomeItem.parse(item)) as BulkOutcome
}

export function itemFromOutcome(bulkId: string, outcome: BulkOutcome) {
  return { ...bulkKeys.outcome(bulkId, outcome.dispatchId), ...outcome, ttl: timeToLive(outcome.at) }
}
