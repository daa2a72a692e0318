import { isStopping, settledWithout, unconfirmedRuns } from '../../domain/cancel/unconfirmed.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { Conflict, InvalidInput } from '../../domain/errors.ts'
import type { Graph } from '../../domain/graph/graph.ts'
import { countReopened, planRedrive, type Redrive } from '../../domain/redrive/plan-redrive.ts'
import { redriveRefusal } from '../../domain/redrive/redrive-refusal.ts'
import { reopen } from '../../domain/settled.ts'
import type { Snapshot } from '../../domain/turn/plan-turn.ts'
import type { RedriveAnswer, RedriveOrder } from '../../schema/api.ts'
import type { Caller } from '../caller.ts'
import { checkTargets } from '../cancel/check-targets.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { findDispatch } from '../read/find-dispatch.ts'
import { readLiveOf } from '../read-live-of.ts'
import { stableId } from '../stable-id.ts'
import { giveUpJobs } from './give-up-jobs.ts'

/** Whoever changes META in between makes us look again. */
const tries = 10

/**
 * Run again what did not succeed of a dispatch: reopen failed, cancelled and skipped tasks in a new epoch. Results of
 * tasks that succeeded are kept, and so are the records and the history.
 *
 * Order, and what is left when the process dies after each step: everything is resolved, authorised and planned
 * (nothing); what the fences know goes into the records of their cancellations (the same twice, fences win while they
 * stand); leftovers in the live index are cleared (as any turn does); META, in one conditional write: all of the redrive
 * or nothing; the loop is started (an open dispatch without a loop is taken up by the sweeper, by the old loop, or by the
 * same request sent again).
 *
 * The items of reopened tasks are left alone: they are the history of old attempts until the next one is claimed.
 *
 * Every fence is taken away, not only those over reopened tasks: each is confirmed by then, so all that it forbids is
 * settled, and one rule needs no look at how scopes overlap.
 *
 * Errors: NotFound; InvalidInput with every task that cannot be reopened; Conflict while a job may still run that a
 * cancellation has asked to stop (unless `force`), and where `redriveRefusal` says so.
 */
export async function redriveDispatch(
  context: Context,
  caller: Caller,
  idOrPrefix: string,
  order: RedriveOrder,
  idempotencyKey?: string,
): Promise<RedriveAnswer> {
  const { store, now, policy } = context
  const { id } = await findDispatch(store, caller, idOrPrefix)
  const graph = await store.readGraph(id)
  const targets = order.taskIds && checkTargets(graph, order.taskIds)
  const redriveKey =
    order.dryRun || idempotencyKey === undefined ? context.newId() : keyOf(caller, id, targets, idempotencyKey)

  for (let attempt = 0; attempt < tries; attempt++) {
    const dispatch = (await store.readDispatch(id)) as Dispatch
    if (dispatch.redriveKey === redriveKey) return begin(context, dispatch)
    const refusal = redriveRefusal(dispatch, now())
    if (refusal !== undefined) throw new Conflict(refusal)
    const snapshot = { dispatch, graph, live: await readLiveOf(store, dispatch) }
    const mustGiveUp = isStopping(dispatch)
    if (mustGiveUp && !order.force) throw new Conflict(stillStopping(snapshot))
    const settled = mustGiveUp ? settledWithout(snapshot, policy, now()) : dispatch
    const plan = planRedrive(graph, settled, targets)
    if (plan.problems.length > 0) throw invalid(plan)
    if (order.dryRun || plan.reopened.size === 0) return answerOf(snapshot, plan, order)
    if (mustGiveUp) {
      await giveUpJobs(context, snapshot, unconfirmedRuns(snapshot), {
        actor: caller.id,
        who: 'a forced redrive',
        reason: 'the dispatch is redriven by force',
      })
      continue
    }

    await closeCancellations(context, dispatch)
    // Marks that a crash has left: with their tasks open again they would stand for attempts that are over.
    const stale = snapshot.live.filter((run) => plan.reopened.has(run.id))
    await concurrently(context.concurrency, stale, (run) => store.clearLive(id, run))
    const changes = {
      ...reopen(dispatch, plan.reopened.keys()),
      redrives: (dispatch.redrives ?? 0) + 1,
      redriveKey,
      reopened: countReopened(plan),
      drivenAt: now(),
      ...(dispatch.status !== 'running' && { openedAt: now() }),
    }
    if (!(await store.redrive(id, dispatch.version, changes))) continue
    await store.addHistory(id, now(), [describe(caller, graph, plan)])
    return begin(context, { ...dispatch, ...changes, status: 'running', epoch: dispatch.epoch + 1 })
  }
  throw new Conflict('the dispatch keeps changing: ask again')
}

/** The same request for other tasks is another request. */
function keyOf(caller: Caller, id: string, targets: readonly number[] | undefined, key: string): string {
  return stableId('redrive', id, caller.id, key, targets?.join(',') ?? 'all')
}

/** See to the loop of a redrive that is written; also when the same request comes again. */
async function begin({ executions }: Context, dispatch: Dispatch): Promise<RedriveAnswer> {
  const { id, epoch, status, reopened: counts = { failed: 0, cancelled: 0, skipped: 0 } } = dispatch
  // A loop of an older epoch ends by itself: it is not stopped, for it may be in the middle of a submit.
  if (status === 'running') await executions.start(id, epoch)
  return { dispatchId: id, dryRun: false, reopened: counts.failed + counts.cancelled + counts.skipped, counts }
}

/**
 * Keep what is known of the cancellations that are over: a request that comes again must not cancel again. In a dispatch
 * that has ended these are all of them, also one that came too late to have a fence.
 */
async function closeCancellations({ store, concurrency }: Context, dispatch: Dispatch): Promise<void> {
  const records = await store.listCancellations(dispatch.id)
  await concurrently(concurrency, records, async ({ id, final }) => {
    const fence = dispatch.fences[id]
    if (!fence && (final || dispatch.status === 'running')) return
    const { abandoned = 0, ended = {} } = fence ?? {}
    await store.closeCancellation(dispatch.id, id, { abandoned, ended })
  })
}

function answerOf({ dispatch, graph, live }: Snapshot, plan: Redrive, { dryRun }: RedriveOrder): RedriveAnswer {
  const tasks = [...plan.reopened].map(([taskId, state]) => ({ taskId, name: graph.tasks[taskId]?.name ?? '', state }))
  const unconfirmed = unconfirmedRuns({ dispatch, live }).length
  const base = { dispatchId: dispatch.id, dryRun, reopened: tasks.length, counts: countReopened(plan) }
  return dryRun ? { ...base, unconfirmed, tasks } : base
}

function stillStopping(snapshot: Snapshot): string {
  const byExecutor = Map.groupBy(unconfirmedRuns(snapshot), ({ executor }) => executor)
  const jobs = [...byExecutor].map(([name, runs]) => `${name} ${runs.length}`)
  const which = jobs.length > 0 ? ` (jobs that may still run: ${jobs.join(', ')})` : ''
  return `a cancellation is still being confirmed${which}: wait for it, or redrive with force`
}

function invalid({ problems }: Redrive): InvalidInput {
  const message = problems.map((problem) => problem.message).join('; ')
  return new InvalidInput(`these tasks cannot be redriven: ${message}`, { details: problems })
}

const namesShown = 8

function describe(caller: Caller, graph: Graph, plan: Redrive): string {
  const { failed, cancelled, skipped } = countReopened(plan)
  const names = [...plan.reopened.keys()].slice(0, namesShown).map((id) => graph.tasks[id]?.name)
  const more = plan.reopened.size > namesShown ? ` and ${plan.reopened.size - namesShown} more` : ''
  return (
    `${caller.id} redrives ${plan.reopened.size} tasks (${failed} failed, ${cancelled} cancelled, ${skipped} skipped): ` +
    `${names.join(', ')}${more}`
  )
}
