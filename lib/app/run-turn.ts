import { warningLine } from '../domain/budget/check-budget.ts'
import type { Dispatch } from '../domain/dispatch.ts'
import { NotFound } from '../domain/errors.ts'
import type { Graph } from '../domain/graph/graph.ts'
import type { Outcome } from '../domain/task-run.ts'
import type { Action } from '../domain/turn/action.ts'
import type { SelfStop } from '../domain/turn/plan-limits.ts'
import { planTurn, type Turn } from '../domain/turn/plan-turn.ts'
import { noteJobNews } from './act/note-job-news.ts'
import { cancelDispatch } from './cancel/cancel-dispatch.ts'
import { concurrently } from './concurrently.ts'
import type { Context } from './context.ts'
import { readLiveOf } from './read-live-of.ts'
import { newsOfChild } from './submit/child-dispatches.ts'

/** What a loop needs to know after a turn. */
export interface TurnResult {
  /** Nothing is left to do for this loop: the dispatch has ended, or a newer epoch has taken over. */
  readonly finished: boolean
  readonly actions: readonly Action[]
  readonly waitSeconds: number
}

/** A turn that always meets a newer version is being overtaken: the overtaker does the work. */
const tries = 5
/** From asking the jobs to end to killing them, when a budget or a time limit is used up. */
const stopGraceSeconds = 30

/**
 * One pass over a dispatch: read META and then the live tasks, plan, write META on the condition that it has not
 * changed, take what is settled out of the live index, and give the actions that follow.
 *
 * Guarantees: it may die anywhere and be run again; two at once do no harm.
 */
export async function runTurn(context: Context, dispatchId: string, epoch: number): Promise<TurnResult> {
  const { store, now, policy } = context
  for (let attempt = 0; attempt < tries; attempt++) {
    const dispatch = await store.readDispatch(dispatchId)
    if (!dispatch) throw new NotFound(`there is no dispatch ${dispatchId}`)
    if (dispatch.epoch !== epoch) {
      // Whoever raised the epoch may have died before its loop began: an older loop never ends without a successor.
      if (dispatch.status === 'running') await context.executions.start(dispatchId, dispatch.epoch)
      return { finished: true, actions: [], waitSeconds: 1 }
    }
    const graph = await store.readGraph(dispatchId)
    // After META: a claim whose owner has read META without the fence that we see is then in this list.
    const live = await readLiveOf(store, dispatch)
    const turn = planTurn({ dispatch, graph, live }, policy, now())

    const isChange = Object.keys(turn.changes).length > 0
    if (isChange && !(await store.commitTurn(dispatchId, dispatch.version, turn.changes))) continue
    const over = new Set(turn.clear)
    const settled = live.filter(({ id }) => over.has(id))
    await concurrently(context.concurrency, settled, (run) => store.clearLive(dispatchId, run))
    const lines = describeTurn(dispatch, graph, turn)
    if (lines.length > 0) await store.addHistory(dispatchId, now(), lines)
    if (turn.changes.status) await tellParent(context, { ...dispatch, ...turn.changes })
    context.log({ decision: 'turn', dispatchId, epoch, settled: turn.outcomes.size, actions: turn.actions.length })
    meter(context, dispatch, turn)
    if (!turn.stop) return turn
    const version = dispatch.version + (isChange ? 1 : 0)
    await stopItself(context, { ...dispatch, version }, turn.stop)
    // Where the stop was overtaken, the next turn decides anew; else it finds the drain, and ends.
    return { ...turn, waitSeconds: 1 }
  }
  return { finished: false, actions: [], waitSeconds: 1 }
}

/**
 * Cancel a dispatch whose money or time is used up, unless META has changed since the turn: the budget may have been raised,
 * or a redrive have begun. Asked again under the same key when this dies half-way: the next turn finds the same.
 */
async function stopItself(context: Context, dispatch: Dispatch, { source, reason }: SelfStop): Promise<void> {
  const { id, epoch, version, budget } = dispatch
  const order = { reason, mode: 'graceful', graceSeconds: stopGraceSeconds, dryRun: false } as const
  // Another budget, another record: this one would tell the figures of the old.
  const key = source === 'budget' ? `${source}-${epoch}-${budget?.limitUsd}` : `${source}-${epoch}`
  const origin = { source, idempotencyKey: key, isByLoop: true, version }
  await cancelDispatch(context, { id: `${source} of the dispatch`, isAdmin: true }, id, order, origin)
  context.log({ decision: 'stop-itself', dispatchId: id, source, reason })
}

/** What has been spent since the meter told last: a metric sums it up. Children's spend is in their parents'. */
function meter(context: Context, { id, parent, meteredUsd = 0 }: Dispatch, { changes }: Turn): void {
  if (parent || changes.meteredUsd === undefined) return
  context.log({ decision: 'spend', dispatchId: id, spentUsd: changes.meteredUsd - meteredUsd })
}

async function tellParent(context: Context, ended: Dispatch): Promise<void> {
  const news = newsOfChild(ended)
  if (news) await noteJobNews(context, [news])
}

const namesShown = 8

function describeTurn(dispatch: Dispatch, graph: Graph, turn: Turn): readonly string[] {
  const byOutcome = Map.groupBy(turn.outcomes.entries(), ([, outcome]): Outcome => outcome)
  const lines = [...byOutcome].map(([outcome, entries]) => {
    const names = entries.slice(0, namesShown).map(([id]) => graph.tasks[id]?.name)
    const more = entries.length > namesShown ? ` and ${entries.length - namesShown} more` : ''
    return `${outcome}: ${names.join(', ')}${more}`
  })
  if (turn.changes.budget) lines.push(warningLine(turn.changes.budget, turn.spend))
  if (turn.changes.status) lines.push(`dispatch ${dispatch.name} ${turn.changes.status}`)
  return lines
}
