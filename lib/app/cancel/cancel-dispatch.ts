import { partialScope } from '../../domain/cancel/cancel-scope.ts'
import { planCancel } from '../../domain/cancel/plan-cancel.ts'
import type { Cancellation } from '../../domain/cancellation.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { Conflict } from '../../domain/errors.ts'
import type { CancelSource, Fence } from '../../domain/fence.ts'
import type { CancelAnswer, CancelOrder } from '../../schema/api.ts'
import { act } from '../act/act.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from '../read/find-dispatch.ts'
import { stableId } from '../stable-id.ts'
import { cancelAnswer, nothingLeft } from './cancel-answer.ts'
import { checkTargets } from './check-targets.ts'

/** Where a request comes from. */
export interface CancelOrigin {
  readonly source: CancelSource
  readonly idempotencyKey?: string | undefined
  /**
   * Asked by the dispatch's own loop, which has no back ends at hand: it leaves the first kill pass to the drain, and is
   * itself the old loop that ends.
   */
  readonly isByLoop?: boolean
  /** Of META: when it has changed since, nothing is fenced, for whoever changed it may have taken the reason away. */
  readonly version?: number
}

/** META, of 400 KB, has room for this many fences of parts, and for as many over the whole dispatch. */
const fencesOfAKind = 100
/** Of the reason, which the record has in full: a fence of 10,000 tasks is then 2.5 KB at most. */
const fenceReasonCharacters = 256
/** The first kill pass is made while the caller waits, but not longer than this; the loop goes on anyway. */
const firstPassSeconds = 10
const fenceTries = 10

/**
 * Cancel a dispatch, or the named tasks and everything downstream of them.
 *
 * Order, and what is left when the process dies after each step: everything is resolved and authorised (nothing);
 * the record (an intention without effect: the request was not acknowledged, ask again with the same key); the fence
 * (nothing in scope starts any more, the running loop sees it and stops what runs); the drain and the stop of the old
 * loop (the same, in a fresh execution); the first kill pass (the loop repeats it).
 *
 * Guarantees: cancelling twice, late or something finished is harmless, and the answer says what was found. A request
 * that comes again after a redrive does not cancel again.
 * Errors: NotFound; InvalidInput with every unknown task id; Conflict when META can hold no further fence.
 */
export async function cancelDispatch(
  context: Context,
  caller: Caller,
  idOrPrefix: string,
  order: CancelOrder,
  origin: CancelOrigin,
): Promise<CancelAnswer> {
  const { store, now } = context
  const dispatch = await findDispatch(store, caller, idOrPrefix)
  const graph = await store.readGraph(dispatch.id)
  const targets = order.taskIds && checkTargets(graph, order.taskIds)
  const scope = targets ? partialScope(graph, dispatch, targets) : 'all'
  const { idempotencyKey: key, source, isByLoop = false } = origin
  const id = key === undefined ? context.newId() : stableId('cancellation', dispatch.id, caller.id, key)
  const isRepeat = key !== undefined && (await store.readCancellation(dispatch.id, id)) !== undefined
  const isNothingToStop =
    !isRepeat && (dispatch.status !== 'running' || (scope !== 'all' && scope.every((byte) => byte === 0)))
  if (order.dryRun || isNothingToStop) {
    const live = isNothingToStop ? [] : await store.readLive(dispatch.id)
    return cancelAnswer({ dispatch, graph, live }, { scope, targets, dryRun: order.dryRun }, context)
  }

  const record = await store.putCancellation({
    id,
    dispatchId: dispatch.id,
    ...(targets && { taskIds: targets }),
    mode: order.mode,
    graceSeconds: order.graceSeconds,
    reason: order.reason,
    actor: caller.id,
    source,
    at: now(),
    ...(key !== undefined && { idempotencyKey: key }),
  })
  if (String(record.taskIds) !== String(targets))
    throw new Conflict('this idempotency key was used for a cancellation of other tasks')

  const fenced = await raiseFence(context, record, scope, origin)
  if (!fenced) return nothingLeft((await store.readCancellation(dispatch.id, id)) ?? record)
  const work = { scope: fenced.fences[record.id]?.scope ?? scope, targets, dryRun: false }
  if (fenced.status !== 'running') {
    const answer = cancelAnswer({ dispatch: fenced, graph, live: [] }, work, context)
    return { ...answer, cancellationId: id }
  }

  if (work.scope === 'all') {
    // In this order there is never a moment without a loop; two at once do no harm.
    await context.executions.start(dispatch.id, fenced.epoch)
    if (!isByLoop) await context.executions.stop(dispatch.id, fenced.epoch - 1)
  } else await context.executions.wake(dispatch.id)

  const live = await store.readLive(dispatch.id)
  const answer = cancelAnswer({ dispatch: fenced, graph, live }, work, context)
  await store.addHistory(dispatch.id, now(), [describe(record, answer)])
  if (isByLoop) return { ...answer, cancellationId: id }
  await firstKillPass(context, { dispatch: fenced, graph, live }, work.scope)
  await context.executions.wake(dispatch.id)
  return { ...answer, cancellationId: id }
}

/**
 * Write the fence. The first one over the whole dispatch raises the epoch as well: from then on the old loop's
 * actions do nothing, and the drain's do.
 *
 * Gives undefined where META is no longer at the version asked for, and where a redrive has taken the fence away: that
 * request is from before it, and must not cancel what was redriven. The redrive closes the record, then writes META with a
 * new epoch. We read META, then the record, and write over that epoch only: either we see the record closed, or our write
 * fails and we look again.
 */
async function raiseFence(
  context: Context,
  record: Cancellation,
  scope: Fence['scope'],
  { isByLoop: leavesPass = false, version }: CancelOrigin,
): Promise<Dispatch | undefined> {
  const { store } = context
  const { id, mode, graceSeconds, reason, source } = record
  for (let attempt = 0; attempt < fenceTries; attempt++) {
    const dispatch = (await store.readDispatch(record.dispatchId)) as Dispatch
    if (dispatch.status !== 'running' || dispatch.fences[id]) return dispatch
    if (version !== undefined && dispatch.version !== version) return undefined
    const mayBeClosed = dispatch.redrives !== undefined
    if (mayBeClosed && (await store.readCancellation(record.dispatchId, id))?.final) return undefined
    const others = Object.values(dispatch.fences)
    checkRoom(others, scope)
    const fence = {
      ...{ id, scope, mode, graceSeconds, source, at: context.now(), abandoned: 0, ended: {} },
      reason: reason.slice(0, fenceReasonCharacters),
    }
    const isDrain = scope === 'all' && !others.some((one) => one.scope === 'all')
    await store.writeFence(record.dispatchId, fence, { epoch: dispatch.epoch, isDrain, leavesPass, version })
  }
  throw new Conflict('the dispatch keeps changing: ask again')
}

function checkRoom(others: readonly Fence[], scope: Fence['scope']): void {
  const isWhole = scope === 'all'
  const count = others.filter((one) => (one.scope === 'all') === isWhole).length
  if (count < fencesOfAKind) return
  if (isWhole) throw new Conflict(`this dispatch was cancelled ${count} times already, and is being stopped`)
  throw new Conflict(`parts of this dispatch were cancelled ${count} times already: cancel all of it`)
}

/** Ask the back ends at once, in bulk. Whatever does not come through is repeated by the loop. */
async function firstKillPass(
  context: Context,
  snapshot: Parameters<typeof planCancel>[0],
  scope: Fence['scope'],
): Promise<void> {
  const actions = planCancel(snapshot, scope, context.policy, context.now())
  const pass = Promise.all(actions.map((action) => act(context, snapshot.dispatch.id, action)))
  await Promise.race([pass, context.sleep(firstPassSeconds)])
}

function describe({ actor, source, reason, taskIds }: Cancellation, { counts }: CancelAnswer): string {
  const what = taskIds ? `tasks ${taskIds.join(', ')} and what follows them` : 'the whole dispatch'
  return (
    `${actor} cancels ${what} (${source}: ${reason}): ` +
    `${counts.stopping} to stop, ${counts.abandoned} abandoned, ${counts.finished} already finished`
  )
}
