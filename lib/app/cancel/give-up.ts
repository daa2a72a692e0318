import { fencesOver } from '../../domain/cancel/cancel-scope.ts'
import { unconfirmedRuns } from '../../domain/cancel/unconfirmed.ts'
import { Conflict, InvalidInput, type Problem } from '../../domain/errors.ts'
import { outcomeOf } from '../../domain/settled.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import { isOverdue } from '../../domain/task-state.ts'
import type { Snapshot } from '../../domain/turn/plan-turn.ts'
import type { GiveUpAnswer, GiveUpOrder } from '../../schema/api.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from '../read/find-dispatch.ts'
import { readLiveOf } from '../read-live-of.ts'
import { giveUpJobs } from '../redrive/give-up-jobs.ts'
import { checkTargets } from './check-targets.ts'

const recordTries = 10

/**
 * Settle tasks without the word of their back ends: those that a cancellation has asked to stop, or the end of their time,
 * and that are unconfirmed since. Their jobs may run on; they are asked once more, by force, and then nobody looks after them.
 *
 * A task ends as `cancelled` and `lost`, or, where its time was over, as timed out.
 *
 * Order, and what is left when the process dies after each step: the history and the records of the cancellations (what was
 * decided, and nothing done: ask again); the last request to stop (the same); the ends of the attempts (the next turn settles
 * them).
 * Errors: NotFound; InvalidInput with every task that is not there or not unconfirmed; Conflict where none is.
 */
export async function giveUp(
  context: Context,
  caller: Caller,
  idOrPrefix: string,
  order: GiveUpOrder,
): Promise<GiveUpAnswer> {
  const { store } = context
  const dispatch = await findDispatch(store, caller, idOrPrefix)
  const graph = await store.readGraph(dispatch.id)
  const targets = order.taskIds && checkTargets(graph, order.taskIds)
  const snapshot = { dispatch, graph, live: await readLiveOf(store, dispatch) }
  const overdue = overdueRuns(context, snapshot)
  const runs = targets ? overdue.filter(({ id }) => targets.includes(id)) : overdue
  if (targets) refuseOthers(snapshot, targets, runs)
  if (runs.length === 0) {
    const { confirmSeconds } = context.policy
    const when = `a job is when it was asked to stop more than ${confirmSeconds} s ago and its back end has not said that it has`
    throw new Conflict(`no job of dispatch ${dispatch.id} is unconfirmed: ${when}`)
  }
  await noteInRecords(context, snapshot, runs, { actor: caller.id, reason: order.reason })
  await store.addHistory(dispatch.id, context.now(), [`${caller.id} gives up ${runs.length} jobs: ${order.reason}`])
  await giveUpJobs(context, snapshot, runs, { actor: caller.id, who: caller.id, reason: order.reason })
  await context.executions.wake(dispatch.id)
  const name = (id: number) => graph.tasks[id]?.name ?? ''
  return {
    dispatchId: dispatch.id,
    tasks: runs.map(({ id, executor, attempt, handle }) => ({
      taskId: id,
      name: name(id),
      executor,
      attempt,
      ...(handle && { handle }),
    })),
  }
}

/** What was asked to stop longer ago than anybody should wait for it. */
function overdueRuns({ now, policy }: Context, snapshot: Snapshot): readonly TaskRun[] {
  const at = { now: now(), confirmSeconds: policy.confirmSeconds }
  const { dispatch, live } = snapshot
  const fenced = unconfirmedRuns(snapshot).filter(({ id }) => {
    const [oldest] = fencesOver(dispatch.fences, id)
    return oldest !== undefined && isOverdue(oldest, at)
  })
  const late = live.filter(
    ({ id, state, timedOutAt }) =>
      (state === 'queued' || state === 'running') &&
      timedOutAt !== undefined &&
      outcomeOf(dispatch, id) === undefined &&
      isOverdue({ at: timedOutAt }, at),
  )
  return [...new Set([...fenced, ...late])]
}

function refuseOthers({ graph }: Snapshot, targets: readonly number[], runs: readonly TaskRun[]): void {
  const details = targets
    .filter((id) => !runs.some((run) => run.id === id))
    .map((id): Problem => {
      return { path: 'taskIds', message: `task "${graph.tasks[id]?.name}" (${id}) is not unconfirmed` }
    })
  if (details.length === 0) return
  const message = details.map((problem) => problem.message).join('; ')
  throw new InvalidInput(`these tasks cannot be given up: ${message}`, { details })
}

/** In each cancellation that has asked for one of them. */
async function noteInRecords(
  { store, now }: Context,
  { dispatch }: Snapshot,
  runs: readonly TaskRun[],
  decision: { readonly actor: string; readonly reason: string },
): Promise<void> {
  const byFence = new Map<string, number[]>()
  for (const { id } of runs)
    for (const fence of fencesOver(dispatch.fences, id)) byFence.set(fence.id, [...(byFence.get(fence.id) ?? []), id])
  for (const [cancellationId, taskIds] of byFence) {
    for (let attempt = 0; attempt < recordTries; attempt++) {
      const record = await store.readCancellation(dispatch.id, cancellationId)
      if (!record || (await store.noteGivenUp(dispatch.id, record, { ...decision, taskIds, at: now() }))) break
    }
  }
}
