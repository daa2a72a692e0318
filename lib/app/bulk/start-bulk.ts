import { type BulkCancellation, maxBulkDispatches } from '../../domain/bulk/bulk.ts'
import { type Selector, writeSelector } from '../../domain/bulk/selector.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { Conflict, Forbidden, InvalidInput } from '../../domain/errors.ts'
import type { CancelSource } from '../../domain/fence.ts'
import type { BulkCancelAnswer, BulkOrder } from '../../schema/bulk.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { dispatchRow } from '../read/views.ts'
import { stableId } from '../stable-id.ts'
import { findMatching } from './find-matching.ts'

interface BulkOrigin {
  readonly source: CancelSource
  readonly idempotencyKey?: string | undefined
}

/** A dry run lists so many. */
const listedDispatches = 100

/**
 * Cancel every open dispatch that a selector means, or only say which they are.
 *
 * What is found is written down with the request, and handed to the runner; from then on it goes on without the caller.
 * Order, and what is left when the process dies after each step: the search (nothing); the record (the request was not
 * acknowledged: asked again under the same key it goes on, and the sweeper or the next start takes it up); a part of
 * the hand-over (the same, and what is handed over twice is harmless).
 *
 * Guarantees: without an admin's right, only the caller's own dispatches. Under a key that was used, the first request
 * counts, and nothing is searched for again.
 * Errors: Forbidden for others' dispatches; Conflict with the new count where more are found than were confirmed, and
 * for a key that was used for another request; InvalidInput for more than one record can hold.
 */
export async function startBulk(
  context: Context,
  caller: Caller,
  order: BulkOrder,
  { source, idempotencyKey }: BulkOrigin,
): Promise<BulkCancelAnswer> {
  const { bulks } = context
  const selector = scopeTo(caller, order.where)
  const id = idempotencyKey === undefined ? context.newId() : stableId('bulk', caller.id, idempotencyKey)
  const where = writeSelector(selector)
  const known = order.dryRun || idempotencyKey === undefined ? undefined : await bulks.read(id)
  const found = known ? [] : await findMatching(context, selector)
  const dispatches = found.slice(0, listedDispatches).map(dispatchRow)
  if (order.dryRun) return { dryRun: true, where, count: found.length, dispatches }

  if (!known) checkCount(found.length, order.expectedCount)
  const bulk =
    known ?? (await bulks.put(recordOf(context, caller, { ...order, where: selector }, { id, source, found })))
  if (writeSelector(bulk.selector) !== where || bulk.mode !== order.mode)
    throw new Conflict('this idempotency key was used for another request')
  await handOver(context, bulk)
  context.log({ decision: 'cancel-bulk', bulkId: id, source, where, dispatches: bulk.dispatchIds.length })
  return { bulkId: id, dryRun: false, where, count: bulk.dispatchIds.length, dispatches }
}

/** A record to be put. Where nothing was found it has ended. */
export function recordOf(
  { now }: Pick<Context, 'now'>,
  caller: Caller,
  { where: selector, mode, graceSeconds, reason }: Pick<BulkOrder, 'where' | 'mode' | 'graceSeconds' | 'reason'>,
  { id, source, found }: { id: string; source: CancelSource; found: readonly Pick<Dispatch, 'id'>[] },
): BulkCancellation {
  return {
    id,
    selector,
    mode,
    graceSeconds,
    reason,
    actor: caller.id,
    isAdmin: caller.isAdmin,
    source,
    at: now(),
    dispatchIds: found.map((dispatch) => dispatch.id).sort(),
    ...(found.length === 0 && { ended: { at: now(), done: 0, failed: 0 } }),
  }
}

/** Once is enough, unless nobody knows whether that once was completed. */
export async function handOver({ bulks, bulkRunner, now }: Context, bulk: BulkCancellation): Promise<void> {
  if (bulk.ended || bulk.handedOverAt !== undefined) return
  await bulkRunner.enqueue(bulk.id, bulk.dispatchIds)
  await bulks.noteHandedOver(bulk.id, now())
}

function scopeTo(caller: Caller, { all, ...conditions }: Selector): Selector {
  const { owner } = conditions
  if (owner === 'me' || (owner === undefined && !caller.isAdmin)) return { ...conditions, owner: caller.id }
  if (owner !== undefined && owner !== caller.id && !caller.isAdmin)
    throw new Forbidden(`only an admin may cancel the dispatches of ${owner}`)
  return { ...(all && { all }), ...conditions }
}

function checkCount(count: number, expectedCount: number | undefined): void {
  if (count > maxBulkDispatches)
    throw new InvalidInput(`${count} dispatches match, and at most ${maxBulkDispatches} are cancelled at once`)
  if (expectedCount === undefined || count <= expectedCount) return
  const message = `${count} dispatches match now, and ${expectedCount} were confirmed: nothing was cancelled`
  throw new Conflict(message, { details: [{ path: 'expectedCount', message: `${count} dispatches match now` }] })
}
