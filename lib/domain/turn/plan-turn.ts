import type { Spend } from '../budget/spend.ts'
import { fencesOver, wholeFence } from '../cancel/cancel-scope.ts'
import { planKillPass, type StopsOf } from '../cancel/kill-pass.ts'
import { markUnconfirmed } from '../cancel/mark-unconfirmed.ts'
import { tallyFences } from '../cancel/tally-fences.ts'
import type { Dispatch } from '../dispatch.ts'
import type { Graph, Task } from '../graph/graph.ts'
import { countSettled, outcomeOf, type Settled, settle } from '../settled.ts'
import type { Outcome, TaskRun } from '../task-run.ts'
import { type Action, type AttemptId, attemptsOf, chunkActions, chunkAttempts } from './action.ts'
import { nextStep } from './next-step.ts'
import { checkLimits, type SelfStop, settleSpend } from './plan-limits.ts'
import { planUnstarted, splitPacks } from './plan-starts.ts'
import type { Policy } from './policy.ts'
import { taskDeadline, timeLimitStop } from './time-limit.ts'

/** What a turn looks at. `live` must be read after `dispatch`: a claim that a fence's reader missed is then in it. */
export interface Snapshot {
  readonly dispatch: Dispatch
  readonly graph: Graph
  readonly live: readonly TaskRun[]
}

/** What a turn writes into META, all of it in one update. */
export type TurnChanges = Partial<
  Pick<
    Dispatch,
    | 'status'
    | 'endedAt'
    | 'settled'
    | 'skipped'
    | 'fences'
    | 'polledAt'
    | 'killPass'
    | 'budget'
    | 'spent'
    | 'meteredUsd'
  >
>

/** What a turn does: write `changes` into META (nothing when empty), take `clear` out of the live index, then act. */
export interface Turn {
  readonly changes: TurnChanges
  readonly outcomes: ReadonlyMap<number, Outcome>
  readonly clear: readonly number[]
  readonly actions: readonly Action[]
  /** 1…60; how long nothing needs to be done unless there is news. */
  readonly waitSeconds: number
  readonly finished: boolean
  /** The dispatch is to be cancelled, for its budget or its time limit. */
  readonly stop?: SelfStop
  readonly spend: Spend
}

/**
 * Decide what to do next for a dispatch. Pure: the same snapshot gives the same turn.
 *
 * Source of the rules: `ARCHITECTURE.md`, "A turn".
 */
export function planTurn({ dispatch, graph, live }: Snapshot, policy: Policy, now: number): Turn {
  const [openRuns, staleRuns] = partition(live, (run) => outcomeOf(dispatch, run.id) === undefined)
  const outcomes = new Map<number, Outcome>()
  const submit: AttemptId[] = []
  const recover: AttemptId[] = []
  const running: TaskRun[] = []
  const wakeAt: number[] = []

  for (const run of openRuns) {
    const fences = fencesOver(dispatch.fences, run.id)
    const next = nextStep(run, graph, fences, policy, now)
    if (next.outcome) outcomes.set(run.id, next.outcome)
    if (next.submit) submit.push({ taskId: run.id, attempt: next.submit })
    if (next.recover) recover.push({ taskId: run.id, attempt: run.attempt })
    if (next.wakeAt !== undefined) wakeAt.push(next.wakeAt)
    if (run.handle && (run.state === 'queued' || run.state === 'running')) running.push(run)
  }
  const ready = planUnstarted(dispatch, graph, openRuns, outcomes)
  submit.push(...ready.tasks.map((taskId) => ({ taskId, attempt: 1 })))
  const { singles, packs } = splitPacks({ graph, policy }, submit, ready.waiting)
  if (singles.length > policy.submitsPerTurn) wakeAt.push(now)

  const after = settle(dispatch, outcomes, dispatch.taskCount)
  const tallied = outcomes.size > 0 ? tallyFences(dispatch.fences, outcomes, openRuns) : dispatch.fences
  const stillLive = openRuns.filter((run) => !outcomes.has(run.id))
  const fences = markUnconfirmed(tallied, stillLive, { now, confirmSeconds: policy.confirmSeconds })
  const end = endStatus(dispatch, after)
  const limited = { dispatch, graph, openRuns }
  const { spend, warned, stop, wakeAt: limitsAt } = checkLimits(limited, policy.priceOf, now)
  wakeAt.push(...limitsAt)

  const stopsOf: StopsOf = (run) => {
    const fences = fencesOver(dispatch.fences, run.id)
    const limit = timeLimitStop(graph.tasks[run.id] as Task, run, now)
    return fences.length === 0 && limit ? [limit] : fences
  }
  const isStopping = running.some((run) => stopsOf(run).length > 0)
  const pollMs = (isStopping ? policy.cancelPollSeconds : policy.pollSeconds) * 1000
  const pollAt = (dispatch.polledAt ?? 0) + pollMs
  const isPolling = running.length > 0 && pollAt <= now
  if (running.length > 0) wakeAt.push(isPolling ? now + pollMs : pollAt)
  const kill = planKillPass(dispatch.killPass, running, stopsOf, now)
  if (kill.nextAt !== undefined) wakeAt.push(kill.nextAt)
  const deadlines = running.map((run) => taskDeadline(graph.tasks[run.id] as Task, run) ?? 0)
  wakeAt.push(...deadlines.filter((at) => at > now))

  const work = { graph, epoch: dispatch.epoch, policy }
  const changes: TurnChanges = {
    ...(fences !== dispatch.fences && { fences }),
    ...(outcomes.size > 0 && {
      ...after,
      spent: settleSpend(limited, outcomes, policy.priceOf, now),
    }),
    ...(end && { status: end, endedAt: now }),
    ...(isPolling && { polledAt: now }),
    ...(kill.count !== undefined && { killPass: { at: now, count: kill.count } }),
    ...(warned && { budget: warned }),
  }
  const isMetered = Object.keys(changes).length > 0 && spend.totalUsd !== (dispatch.meteredUsd ?? 0)
  const drive = dispatch.redrives === undefined ? {} : { redrives: dispatch.redrives }
  const submits = [
    ...packs.map((pack): Action => ({ kind: 'submit', ...pack, epoch: dispatch.epoch, tasks: [] })),
    ...chunkAttempts(work, 'submit', singles.slice(0, policy.submitsPerTurn)),
  ].map((action) => ({ ...action, ...drive }))
  return {
    changes: isMetered ? { ...changes, meteredUsd: spend.totalUsd } : changes,
    outcomes,
    clear: [...staleRuns, ...openRuns.filter((run) => outcomes.has(run.id))].map((run) => run.id),
    actions: end
      ? []
      : [
          ...chunkActions(work, kill.groups),
          ...chunkAttempts(work, 'recover', recover),
          ...(stop ? [] : submits),
          ...(isPolling ? chunkAttempts(work, 'poll', attemptsOf(running)) : []),
        ],
    waitSeconds: Math.ceil(Math.min(60, Math.max(1, (Math.min(...wakeAt, now + 60_000) - now) / 1000))),
    finished: end !== undefined || dispatch.status !== 'running',
    ...(stop && !end && { stop }),
    spend,
  }
}

/** How the dispatch ends, once every task is settled. */
function endStatus({ status, taskCount, fences }: Dispatch, after: Settled): Dispatch['status'] | undefined {
  const { succeeded, failed, cancelled, skipped } = countSettled(after, taskCount)
  if (status !== 'running' || succeeded + failed + cancelled + skipped < taskCount) return undefined
  if (succeeded === taskCount) return 'succeeded'
  const whole = wholeFence(fences)
  if (whole) return whole.source === 'timeout' ? 'failed' : 'cancelled'
  return failed > 0 ? 'failed' : 'cancelled'
}

function partition<T>(all: readonly T[], holds: (one: T) => boolean): [T[], T[]] {
  const parts = Map.groupBy(all, holds)
  return [parts.get(true) ?? [], parts.get(false) ?? []]
}
