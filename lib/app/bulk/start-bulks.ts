import { type BulkCancellation, maxBulkDispatches } from '../../domain/bulk/bulk.ts'
import type { Selector } from '../../domain/bulk/selector.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import type { CancelSource } from '../../domain/fence.ts'
import type { Context } from '../context.ts'
import { stableId } from '../stable-id.ts'
import { findMatching } from './find-matching.ts'
import { handOver, recordOf } from './start-bulk.ts'

/** What an event means. */
interface Meaning {
  readonly where: Selector
  readonly reason: string
  readonly actor: string
  readonly source: CancelSource
  readonly idempotencyKey?: string | undefined
  /** What was dispatched after the event is not meant, however late it comes. */
  readonly createdUntil?: number | undefined
}

/**
 * Cancel every open dispatch that an event means, however many there are: one bulk cancellation for every 10,000.
 *
 * All records are written before the first is handed over, and each says whether another follows. Who dies in between is
 * followed by a repeat of the event, which finds the records that there are and looks only for what no record names; those
 * are gone on with by the sweeper in any case.
 *
 * Guarantees: under a key that was used to the end, nothing is searched for again.
 */
export async function startBulks(
  context: Context,
  { idempotencyKey, ...meaning }: Meaning,
  size: number = maxBulkDispatches,
): Promise<readonly BulkCancellation[]> {
  const key = idempotencyKey ?? context.newId()
  const parts: BulkCancellation[] = []
  let found: readonly Dispatch[] | undefined
  do {
    const id = stableId('bulk', meaning.actor, key, ...(parts.length === 0 ? [] : [String(parts.length)]))
    const known = await context.bulks.read(id)
    found ??= known ? undefined : await findMatching(context, meaning.where, meaning)
    parts.push(known ?? (await putPart(context, meaning, { id, found: notIn(found ?? [], parts), size })))
  } while (parts.at(-1)?.hasMore)
  for (const part of parts) await handOver(context, part)
  return parts
}

const notIn = (found: readonly Dispatch[], parts: readonly BulkCancellation[]): readonly Dispatch[] => {
  const taken = new Set(parts.flatMap(({ dispatchIds }) => dispatchIds))
  return found.filter(({ id }) => !taken.has(id))
}

function putPart(
  context: Context,
  { where, reason, actor, source }: Meaning,
  { id, found, size }: { id: string; found: readonly Dispatch[]; size: number },
): Promise<BulkCancellation> {
  const order = { where, reason, mode: 'graceful', graceSeconds: 30 } as const
  const record = recordOf(context, { id: actor, isAdmin: true }, order, { id, source, found: found.slice(0, size) })
  return context.bulks.put(found.length > size ? { ...record, hasMore: true } : record)
}
