import { addAmounts, nothingSpent } from '../budget/amounts.ts'
import type { Budget } from '../budget/budget.ts'
import { checkBudget, exceededReason } from '../budget/check-budget.ts'
import type { PriceOf } from '../budget/price.ts'
import { measureSpend, type Spend, spentOn } from '../budget/spend.ts'
import { wholeFence } from '../cancel/cancel-scope.ts'
import type { Dispatch } from '../dispatch.ts'
import type { Graph } from '../graph/graph.ts'
import type { Outcome, TaskRun } from '../task-run.ts'
import { dispatchDeadline } from './time-limit.ts'

/** Why a dispatch is stopped by itself. */
export interface SelfStop {
  readonly source: 'budget' | 'timeout'
  readonly reason: string
}

export interface LimitsCheck {
  readonly spend: Spend
  /** The budget with the mark of its warning, when this turn gives it. */
  readonly warned?: Budget
  readonly stop?: SelfStop
  /** When the next limit is reached, as far as can be told now. */
  readonly wakeAt: readonly number[]
}

/** Hold a dispatch against what its graph allows it: money and time. */
export function checkLimits(
  { dispatch, graph, openRuns }: { dispatch: Dispatch; graph: Graph; openRuns: readonly TaskRun[] },
  priceOf: PriceOf,
  now: number,
): LimitsCheck {
  const { budget } = dispatch
  const spend = measureSpend({ settled: dispatch.spent, graph, live: openRuns }, priceOf, now)
  const { isExceeded, isWarning, reachedAt } = checkBudget(budget, spend, now)
  const deadline = dispatchDeadline(dispatch, graph)
  const isLate = deadline !== undefined && deadline <= now
  return {
    spend,
    ...(budget && isWarning && { warned: { ...budget, warnedAt: now } }),
    // Only what still runs, and that nobody has cancelled.
    ...(dispatch.status === 'running' &&
      !wholeFence(dispatch.fences) && {
        ...(isLate && { stop: { source: 'timeout', reason: `it ran longer than its ${graph.timeoutSeconds} s` } }),
        ...(budget && isExceeded && { stop: { source: 'budget', reason: exceededReason(budget, spend) } }),
      }),
    wakeAt: [...(reachedAt === undefined ? [] : [reachedAt]), ...(deadline === undefined || isLate ? [] : [deadline])],
  }
}

/** The settled spend with that of the tasks that a turn settles. */
export function settleSpend(
  { dispatch, graph, openRuns }: { dispatch: Dispatch; graph: Graph; openRuns: readonly TaskRun[] },
  outcomes: ReadonlyMap<number, Outcome>,
  priceOf: PriceOf,
  now: number,
): NonNullable<Dispatch['spent']> {
  return openRuns
    .filter(({ id }) => outcomes.has(id))
    .map((run) => spentOn(run, graph, priceOf, now))
    .reduce(addAmounts, dispatch.spent ?? nothingSpent)
}
