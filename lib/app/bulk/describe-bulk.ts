import type { BulkOutcome } from '../../domain/bulk/bulk.ts'
import { writeSelector } from '../../domain/bulk/selector.ts'
import { hasWholeFence } from '../../domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { NotFound } from '../../domain/errors.ts'
import { isOverdue } from '../../domain/task-state.ts'
import type { BulkCancellationView, BulkItemView } from '../../schema/bulk.ts'
import type { PageRequest } from '../../store/store.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { offsetOf } from '../read/offset-of.ts'
import { dispatchState, iso, type ViewedAt, viewedAt } from '../read/views.ts'

/**
 * How a bulk cancellation stands, with a page of its dispatches. Who has asked for it may see it, and admins may.
 *
 * What is shown of each dispatch comes from its META alone.
 */
export async function describeBulk(
  { bulks, store, now, policy }: Context,
  caller: Caller,
  bulkId: string,
  { limit, cursor }: PageRequest,
): Promise<BulkCancellationView> {
  const bulk = await bulks.read(bulkId)
  if (!bulk || (bulk.actor !== caller.id && !caller.isAdmin))
    throw new NotFound(`there is no bulk cancellation ${bulkId}`)
  const from = offsetOf(cursor)
  const page = bulk.dispatchIds.slice(from, from + limit)
  const outcomes = await bulks.readOutcomes(bulkId, bulk.ended ? page : undefined)
  const outcomeOf = new Map(outcomes.map((outcome) => [outcome.dispatchId, outcome]))
  const failed = bulk.ended?.failed ?? outcomes.filter(({ result }) => result === 'failed').length
  const done = bulk.ended?.done ?? outcomes.length - failed
  const total = bulk.dispatchIds.length
  const dispatches = await store.readDispatches(page)
  const at = viewedAt({ now, policy })
  const { mode, graceSeconds, reason, actor, source } = bulk
  return {
    bulkId,
    where: writeSelector(bulk.selector),
    mode,
    graceSeconds,
    reason,
    actor,
    source,
    at: iso(bulk.at),
    state: done + failed === total ? 'done' : 'working',
    total,
    done,
    failed,
    items: page.map((id) => itemView(id, outcomeOf.get(id), dispatches.get(id), at)),
    ...(from + limit < total && { cursor: String(from + limit) }),
  }
}

function itemView(
  dispatchId: string,
  outcome: BulkOutcome | undefined,
  dispatch: Dispatch | undefined,
  at: ViewedAt,
): BulkItemView {
  return {
    dispatchId,
    ...outcomeView(outcome),
    ...(dispatch && { state: dispatchState(dispatch) }),
    confirmation: dispatch ? confirmationOf(dispatch, outcome, at) : 'none',
  }
}

function outcomeView(outcome: BulkOutcome | undefined): Pick<BulkItemView, 'outcome' | 'counts' | 'error'> {
  if (!outcome) return { outcome: 'pending' }
  if (outcome.result === 'failed') {
    const { code, message } = outcome
    return { outcome: 'failed', error: { code, message } }
  }
  const { cancellationId, stopping, abandoned, finished } = outcome
  const made = cancellationId === undefined ? {} : { cancellationId }
  return { outcome: 'done', ...made, counts: { stopping, abandoned, finished } }
}

/** A redrive takes fences away, and only those that are over: what was cancelled and has none was redriven since. */
function confirmationOf(
  { status, fences }: Dispatch,
  outcome: BulkOutcome | undefined,
  at: ViewedAt,
): BulkItemView['confirmation'] {
  if (status !== 'running') return 'confirmed'
  if (!hasWholeFence(fences)) return outcome?.result === 'done' ? 'confirmed' : 'none'
  const whole = Object.values(fences).filter(({ scope }) => scope === 'all')
  return whole.some((fence) => isOverdue(fence, at)) ? 'unconfirmed' : 'stopping'
}
