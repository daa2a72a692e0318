import { partialScope } from '../../domain/cancel/cancel-scope.ts'
import type { Cancellation } from '../../domain/cancellation.ts'
import { Conflict } from '../../domain/errors.ts'
import type { CancelSource } from '../../domain/fence.ts'
import type { CancelAnswer, CancelOrder } from '../../schema/api.ts'
import type { Caller } from '../caller.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { findDispatch } from '../read/find-dispatch.ts'
import { readLiveOf } from '../read-live-of.ts'
import { stableId } from '../stable-id.ts'
import { cancelAnswer, nothingLeft } from './cancel-answer.ts'
import { checkTargets } from './check-targets.ts'
import { killOnce } from './kill-once.ts'
import { type FencedDispatch, raiseFences } from './raise-fences.ts'
import { startLoops } from './start-loops.ts'

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

/**
 * The answer comes within ten seconds of the request, whatever hangs: the first kill pass ends then, and the loops go on.
 * Source: ARCHITECTURE.md, P9.
 */
const answerSeconds = 9

/**
 * Cancel a dispatch, or the named tasks and everything downstream of them.
 *
 * Order, and what is left when the process dies after each step: everything is resolved and authorised (nothing);
 * the record (an intention without effect: the request was not acknowledged, ask again with the same key); the fences, of the
 * whole tree of dispatches (nothing in scope starts any more, the running loops see them and stop what runs; where only some
 * were written, the kill passes of their parents write the others); the drains and the stop of the old loops beside the first
 * kill pass (the loops repeat it).
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
  const beganAt = now()
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
    const live = isNothingToStop ? [] : await readLiveOf(store, dispatch)
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

  const { version } = origin
  const tree = await raiseFences(context, record, scope, { leavesPass: isByLoop, version })
  if (!tree) return nothingLeft((await store.readCancellation(dispatch.id, id)) ?? record)
  const [root] = tree
  const answer = cancelAnswer(root, { scope: root.scope, targets, dryRun: false }, context)
  if (root.dispatch.status !== 'running') return { ...answer, cancellationId: id }

  const loops = startLoops(context, tree, { isByLoop })
  await concurrently(context.concurrency, tree, (one) => noteCancel(context, one, answer))
  if (isByLoop) return { ...answer, cancellationId: id, ...((await loops) && { isLoopLate: true as const }) }
  // The kill does not wait for the loops, nor for what hangs.
  const untilAt = beganAt + answerSeconds * 1000
  const unasked = await killOnce(context, tree, untilAt)
  const patience = context.sleep(Math.max(0, untilAt - now()) / 1000).then(() => true)
  const isLoopLate = await Promise.race([loops, patience])
  if (!isLoopLate) await wakeQuietly(context, tree)
  return {
    ...answer,
    cancellationId: id,
    ...(Object.keys(unasked).length > 0 && { unasked }),
    ...(isLoopLate && { isLoopLate: true as const }),
  }
}

/** A line in the history of each dispatch that is stopped; that of the one that was asked for has the counts of the answer. */
async function noteCancel(context: Context, one: FencedDispatch, answer: CancelAnswer): Promise<void> {
  const { dispatch, record, scope } = one
  const isAsked = dispatch.id === answer.dispatchId
  const found = isAsked ? answer : cancelAnswer(one, { scope, targets: undefined, dryRun: false }, context)
  await context.store.addHistory(dispatch.id, context.now(), [describe(record, found)])
}

/** What the first pass has changed is news; a loop that is not woken looks by itself before long. */
async function wakeQuietly(context: Context, tree: readonly FencedDispatch[]): Promise<void> {
  await concurrently(context.concurrency, tree, async ({ dispatch }) => {
    try {
      await context.executions.wake(dispatch.id)
    } catch (error) {
      context.log({ decision: 'wake-failed', dispatchId: dispatch.id, error: String(error) })
    }
  })
}

function describe({ actor, source, reason, taskIds }: Cancellation, { counts }: CancelAnswer): string {
  const what = taskIds ? `tasks ${taskIds.join(', ')} and what follows them` : 'the whole dispatch'
  return (
    `${actor} cancels ${what} (${source}: ${reason}): ` +
    `${counts.stopping} to stop, ${counts.abandoned} abandoned, ${counts.finished} already finished`
  )
}
