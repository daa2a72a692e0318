import type { Spend } from '../../domain/budget/spend.ts'
import { covers, hasWholeFence, wholeFence } from '../../domain/cancel/cancel-scope.ts'
import type { Cancellation } from '../../domain/cancellation.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import type { EndCounts, Fence } from '../../domain/fence.ts'
import { type Graph, sublattice, type Task } from '../../domain/graph/graph.ts'
import { isGivenUp } from '../../domain/redrive/given-up.ts'
import { isBeforeEnd, isOfOlderDrive } from '../../domain/redrive/older-drive.ts'
import { countSettled, outcomeOf } from '../../domain/settled.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import { isOverdue, shownState } from '../../domain/task-state.ts'
import type {
  CancellationSummary,
  CancellationView,
  DispatchRow,
  DispatchState,
  DispatchView,
  TaskState,
  TaskView,
} from '../../schema/api.ts'
import type { Context } from '../context.ts'

/** When a view is made, and from when on a job counts as `unconfirmed`. */
export interface ViewedAt {
  readonly now: number
  readonly confirmSeconds: number
  /** From when on a host that is away is shown so. */
  readonly awaySeconds: number
}

export function viewedAt({ now, policy }: Pick<Context, 'now' | 'policy'>): ViewedAt {
  return { now: now(), confirmSeconds: policy.confirmSeconds, awaySeconds: policy.awaySeconds }
}

export function dispatchRow(dispatch: Dispatch): DispatchRow {
  const counts = countSettled(dispatch, dispatch.taskCount)
  return {
    dispatchId: dispatch.id,
    name: dispatch.name,
    owner: dispatch.owner,
    state: dispatchState(dispatch),
    tags: dispatch.tags,
    ...(dispatch.parent && { parent: { dispatchId: dispatch.parent.dispatchId, taskId: dispatch.parent.taskId } }),
    createdAt: iso(dispatch.createdAt),
    ...(dispatch.endedAt !== undefined && { endedAt: iso(dispatch.endedAt) }),
    taskCount: dispatch.taskCount,
    settledCount: counts.succeeded + counts.failed + counts.cancelled + counts.skipped,
  }
}

interface Viewed {
  readonly dispatch: Dispatch
  readonly graph: Graph
  readonly runs: readonly TaskRun[]
  readonly cancellations: readonly Cancellation[]
  readonly spend: Spend
}

export function dispatchView(
  { dispatch, graph, runs, cancellations, spend }: Viewed,
  at: ViewedAt,
  resultUri: string | undefined,
): DispatchView {
  const runOf = new Map(runs.map((run) => [run.id, run]))
  const tasks: Partial<Record<TaskState, number>> = {}
  for (const task of tasksOf(dispatch, graph)) {
    const state = shownState(dispatch, task, runOf.get(task.id), at)
    tasks[state] = (tasks[state] ?? 0) + 1
  }
  return {
    ...dispatchRow(dispatch),
    tasks,
    cancellations: cancellations.map(cancellationSummary),
    ...(dispatch.redrives !== undefined && { redrives: dispatch.redrives }),
    ...(dispatch.drivenAt !== undefined && { drivenAt: iso(dispatch.drivenAt) }),
    ...(resultUri !== undefined && { resultUri }),
    ...spendPart(dispatch, spend),
    ...failurePart(dispatch),
  }
}

function spendPart({ budget }: Dispatch, { totalUsd, unknownJobs }: Spend): Pick<DispatchView, 'spend'> {
  if (!budget && totalUsd === 0 && unknownJobs === 0) return {}
  return { spend: { totalUsd, unknownJobs, ...(budget && { limitUsd: budget.limitUsd }) } }
}

function failurePart({ status, fences }: Dispatch): Pick<DispatchView, 'failure'> {
  const whole = wholeFence(fences)
  if (status !== 'failed' || whole?.source !== 'timeout') return {}
  return { failure: { code: 'TimedOut', message: whole.reason } }
}

/**
 * The tasks of a dispatch. A tombstone has none, although the graph of the child that it keeps from being born may be
 * there already.
 */
export function tasksOf(dispatch: Dispatch, graph: Graph): readonly Task[] {
  return graph.tasks.slice(0, dispatch.taskCount)
}

export function taskView(
  dispatch: Dispatch,
  task: Task,
  run: TaskRun | undefined,
  at: ViewedAt,
  resultUri: (attempt: number) => string,
): TaskView {
  const state = shownState(dispatch, task, run, at)
  const shown = { taskId: task.id, name: task.name, executor: task.executor, needs: task.needs, state }
  const outcome = outcomeOf(dispatch, task.id)
  // What the last attempt left says nothing about the next, nor about the end of one that was never made.
  const isOld = run && (outcome ? isBeforeEnd(run, dispatch, outcome) : isOfOlderDrive(run, dispatch))
  if (isOld) return { ...shown, attempt: run.attempt }
  const { failure } = run ?? {}
  return {
    ...shown,
    attempt: run?.attempt ?? 0,
    ...(run?.handle && { handle: run.handle }),
    ...(task.executor === sublattice && run?.handle && { childId: String(run.handle.dispatchId) }),
    ...(run?.submittedAt !== undefined && { submittedAt: iso(run.submittedAt) }),
    ...(run?.startedAt !== undefined && { startedAt: iso(run.startedAt) }),
    ...(run?.endedAt !== undefined && { endedAt: iso(run.endedAt) }),
    ...(run?.exitCode !== undefined && { exitCode: run.exitCode }),
    ...(failure && { failure: { code: failure.code, message: failure.message, source: failure.source } }),
    ...(run?.state === 'queued' && run.waitReason !== undefined && { waitReason: run.waitReason }),
    ...(outcome === undefined && awayPart(run, at)),
    ...(outcome === 'cancelled' && run && isGivenUp(run) && { lost: true }),
    ...(run && state === 'succeeded' && { resultUri: resultUri(run.attempt) }),
  }
}

function awayPart(run: TaskRun | undefined, { now, awaySeconds }: ViewedAt): Pick<TaskView, 'hostAway'> {
  const { away, live } = run ?? {}
  if (!away || !live || now < away.since + awaySeconds * 1000) return {}
  return { hostAway: { since: iso(away.since), message: away.message } }
}

/**
 * How a cancellation stands, from META and the live index alone: what has ended is counted in the fence, in the write
 * that settled it, and what has not is live.
 */
export function cancellationView(
  record: Cancellation,
  dispatch: Dispatch,
  live: readonly TaskRun[],
  at: ViewedAt,
): CancellationView {
  const fence = dispatch.fences[record.id]
  const known = fence ?? record.final
  const open = fence ? live.filter((run) => covers(fence.scope, run.id) && !outcomeOf(dispatch, run.id)) : []
  const isLate = fence !== undefined && isOverdue(fence, at)
  const backends: Record<string, CancellationView['backends'][string]> = {}
  for (const executor of new Set([...Object.keys(known?.ended ?? {}), ...open.map((run) => run.executor)])) {
    const none: EndCounts = { cancelled: 0, succeeded: 0, failed: 0 }
    const { unconfirmed: givenUp = 0, ...ended } = known?.ended[executor] ?? none
    const confirmed = ended.cancelled + ended.succeeded + ended.failed
    const left = open.filter((run) => run.executor === executor).length
    const unconfirmed = givenUp + (isLate ? left : 0)
    backends[executor] = { requested: confirmed + givenUp + left, confirmed, unconfirmed, ...ended }
  }
  return {
    ...cancellationSummary(record),
    dispatchId: dispatch.id,
    ...(record.taskIds && { taskIds: record.taskIds }),
    mode: record.mode,
    graceSeconds: record.graceSeconds,
    state:
      known && open.length === 0 && hasGivenUp(known)
        ? 'unconfirmed'
        : confirmation(record, dispatch, open.length, isLate),
    abandoned: known?.abandoned ?? 0,
    ...(record.givenUp && { givenUp: record.givenUp.map((one) => ({ ...one, at: iso(one.at) })) }),
    backends,
  }
}

/** A forced redrive did not wait for everything. */
function hasGivenUp({ ended }: Pick<Fence, 'ended'>): boolean {
  return Object.values(ended).some(({ unconfirmed = 0 }) => unconfirmed > 0)
}

function confirmation(
  { id: fenceId, final }: Cancellation,
  dispatch: Dispatch,
  liveCount: number,
  isLate: boolean,
): CancellationView['state'] {
  const fence = dispatch.fences[fenceId]
  if (!fence && final) return 'confirmed'
  if (!fence) return dispatch.status === 'running' ? 'not-applied' : 'confirmed'
  if (liveCount > 0) return isLate ? 'unconfirmed' : 'stopping'
  for (let id = 0; id < dispatch.taskCount; id++)
    if (covers(fence.scope, id) && !outcomeOf(dispatch, id)) return 'stopping'
  return 'confirmed'
}

function cancellationSummary(record: Cancellation): CancellationSummary {
  return {
    cancellationId: record.id,
    at: iso(record.at),
    scope: record.taskIds ? 'tasks' : 'dispatch',
    actor: record.actor,
    source: record.source,
    reason: record.reason,
  }
}

export function dispatchState(dispatch: Dispatch): DispatchState {
  return dispatch.status === 'running' && hasWholeFence(dispatch.fences) ? 'cancelling' : dispatch.status
}

export function iso(at: number): string {
  return new Date(at).toISOString()
}
