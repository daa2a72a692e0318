import type { Spend } from '../budget/spend.ts'
import { fencesOver, isFenced, wholeFence } from '../cancel/cancel-scope.ts'
import { type KillGroup, planKillPass, type StopsOf } from '../cancel/kill-pass.ts'
import { markUnconfirmed } from '../cancel/mark-unconfirmed.ts'
import { tallyFences } from '../cancel/tally-fences.ts'
import type { Dispatch, Fence, Outcome, TaskRun } from '../dispatch.ts'
import { effectiveNeeds } from '../graph/effective-needs.ts'
import type { Graph, Task } from '../graph/graph.ts'
import { topologicalOrder } from '../graph/topological-order.ts'
import { countSettled, outcomeOf, type Settled, settle } from '../settled.ts'
import { checkLimits, type SelfStop, settleSpend } from './plan-limits.ts'
import type { Policy } from './policy.ts'
import { retryAt } from './retry.ts'
import { taskDeadline, timeLimitStop } from './time-limit.ts'

/** What a turn looks at. `live` must be read after `dispatch`: a claim that a fence's reader missed is then in it. */
export interface Snapshot {
  readonly dispatch: Dispatch
  readonly graph: Graph
  readonly live: readonly TaskRun[]
}

export interface AttemptId {
  readonly taskId: number
  readonly attempt: number
}

/** Work of one kind for one executor. Of an older epoch than the dispatch's it must not be done. */
export interface Action {
  readonly kind: 'submit' | 'poll' | 'recover' | 'cancel'
  readonly executor: string
  readonly epoch: number
  /** With `submit`: how often the dispatch was redriven, where it was. */
  readonly redrives?: number
  /** With `submit` of a redriven dispatch, attempt 1 stands for the next one where there were others before. */
  readonly tasks: readonly AttemptId[]
  /** With `submit`: the pack to start as one job, instead of `tasks`: 10,000 of them would not fit an execution's state. */
  readonly pack?: string
  /** With `cancel`. */
  readonly mode?: 'graceful' | 'force'
  readonly reason?: string
  /** With `cancel`: nobody has cancelled, the time of these tasks is over. */
  readonly isTimeLimit?: true
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

interface Step {
  readonly outcome?: Outcome
  /** Attempt number to submit. */
  readonly submit?: number
  readonly recover?: boolean
  readonly wakeAt?: number
}

/** What one live attempt calls for. */
function nextStep(run: TaskRun, graph: Graph, fences: readonly Fence[], policy: Policy, now: number): Step {
  const mayStart = fences.length === 0
  switch (run.state) {
    case 'succeeded':
    case 'cancelled':
      return { outcome: run.state }
    case 'failed':
    case 'lost': {
      const again = retryAt(graph.tasks[run.id] as Task, run)
      // A lost job has nothing left to stop, and a retry that will not be made was given up: both are `cancelled`.
      if (!mayStart) return { outcome: run.state === 'lost' || again !== undefined ? 'cancelled' : 'failed' }
      if (again === undefined) return { outcome: 'failed' }
      return again <= now ? { submit: run.attempt + 1 } : { wakeAt: again }
    }
    case 'released':
      if (!mayStart) return { outcome: 'cancelled' }
      return (run.notBefore ?? 0) <= now ? { submit: run.attempt } : { wakeAt: run.notBefore as number }
    case 'submitting': {
      const lookAt = mayStart ? run.claimedAt + policy.recoverSeconds * 1000 : now
      if (lookAt > now) return { wakeAt: lookAt }
      return { recover: true, wakeAt: now + policy.recoverSeconds * 1000 }
    }
    case 'queued':
    case 'running': {
      if (run.missingSince === undefined) return {}
      const lookAt = run.missingSince + policy.settleSeconds * 1000
      if (lookAt > now) return { wakeAt: lookAt }
      return { recover: true, wakeAt: now + policy.recoverSeconds * 1000 }
    }
  }
}

/**
 * Settle what will never start (into `outcomes`), and give the tasks that can start now, in id order, and those that
 * must wait.
 *
 * `cancelled` where a fence covers it, `skipped` where something it needs did not succeed.
 */
function planUnstarted(
  dispatch: Dispatch,
  graph: Graph,
  openRuns: readonly TaskRun[],
  outcomes: Map<number, Outcome>,
): { tasks: readonly number[]; waiting: readonly number[] } {
  const started = new Set(openRuns.map((run) => run.id))
  const needs = effectiveNeeds(graph)
  const tasks: number[] = []
  const waiting: number[] = []
  for (const id of topologicalOrder(needs)) {
    if (started.has(id) || outcomeOf(dispatch, id) !== undefined) continue
    if (isFenced(dispatch.fences, id)) {
      outcomes.set(id, 'cancelled')
      continue
    }
    const states = (needs[id] as readonly number[]).map((need) => outcomes.get(need) ?? outcomeOf(dispatch, need))
    if (states.some((state) => state !== undefined && state !== 'succeeded')) outcomes.set(id, 'skipped')
    else if (states.every((state) => state === 'succeeded')) tasks.push(id)
    else waiting.push(id)
  }
  return { tasks: tasks.sort((a, b) => a - b), waiting }
}

/**
 * Of the attempts that could start: those that start alone, and the packs that start as one job. A pack waits for its
 * last member; later attempts of its members are made alone.
 */
function splitPacks(
  { graph, policy }: { graph: Graph; policy: Policy },
  starts: readonly AttemptId[],
  waiting: readonly number[],
): { singles: readonly AttemptId[]; packs: readonly { pack: string; executor: string }[] } {
  const packOf = ({ taskId, attempt }: AttemptId) => {
    const { pack, executor } = graph.tasks[taskId] as Task
    return attempt === 1 && policy.chunks[executor]?.packs ? pack : undefined
  }
  const held = new Set(waiting.map((taskId) => graph.tasks[taskId]?.pack))
  const singles: AttemptId[] = []
  const packs: { pack: string; executor: string }[] = []
  for (const [pack, members] of Map.groupBy(starts, packOf)) {
    const [first] = members as [AttemptId]
    if (pack === undefined) singles.push(...members)
    else if (held.has(pack)) continue
    else if (members.length > 1) packs.push({ pack, executor: (graph.tasks[first.taskId] as Task).executor })
    else singles.push(first)
  }
  return { singles, packs }
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

export function attemptsOf(runs: readonly TaskRun[]): readonly AttemptId[] {
  return runs.map((run) => ({ taskId: run.id, attempt: run.attempt }))
}

interface Cut {
  readonly graph: Graph
  readonly epoch: number
  readonly policy: Policy
}

/** Cut work into actions of one executor each, as large as the executor takes them. */
export function chunkAttempts(cut: Cut, kind: Action['kind'], tasks: readonly AttemptId[]): readonly Action[] {
  const byExecutor = Map.groupBy(tasks, (one) => (cut.graph.tasks[one.taskId] as Task).executor)
  return [...byExecutor].flatMap(([executor, all]) => {
    const size = cut.policy.chunks[executor]?.[kind === 'recover' ? 'submit' : kind] ?? 25
    return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => ({
      kind,
      executor,
      epoch: cut.epoch,
      tasks: all.slice(n * size, (n + 1) * size),
    }))
  })
}

/** The `cancel` actions of a kill pass. */
export function chunkActions(cut: Cut, groups: readonly KillGroup[]): readonly Action[] {
  return groups.flatMap(({ runs, ...how }) =>
    chunkAttempts(cut, 'cancel', attemptsOf(runs)).map((action) => ({ ...action, ...how })),
  )
}
