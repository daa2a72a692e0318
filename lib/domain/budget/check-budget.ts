import type { Budget } from './budget.ts'
import type { Spend } from './spend.ts'
import { usd } from './usd.ts'

/** Whether a budget is used up, or the mark of its warning is passed for the first time; and when to look again. */
export interface BudgetCheck {
  readonly isExceeded: boolean
  readonly isWarning: boolean
  /** When the next mark is reached if what runs now runs on; undefined where nothing brings it nearer. */
  readonly reachedAt?: number
}

export function checkBudget(budget: Budget | undefined, spend: Spend, now: number): BudgetCheck {
  if (!budget) return { isExceeded: false, isWarning: false }
  const { limitUsd, warnAtUsd, warnedAt } = budget
  const { totalUsd, usdPerSecond } = spend
  const isExceeded = totalUsd >= limitUsd
  const isWarning = warnAtUsd !== undefined && warnedAt === undefined && totalUsd >= warnAtUsd
  const marks = [limitUsd, ...(warnAtUsd !== undefined && warnedAt === undefined ? [warnAtUsd] : [])]
  const next = Math.min(...marks.filter((mark) => mark > totalUsd))
  const reachedAt = now + ((next - totalUsd) / usdPerSecond) * 1000
  return { isExceeded, isWarning, ...(Number.isFinite(reachedAt) && { reachedAt }) }
}

/** Why a dispatch is cancelled for its budget, with the figures. */
export function exceededReason({ limitUsd }: Budget, spend: Spend): string {
  const { totalUsd, overshootUsd, unknownJobs } = spend
  const unknown = unknownJobs > 0 ? `; the price of ${unknownJobs} jobs is not known and not in it` : ''
  return (
    `its budget of ${usd(limitUsd)} is used up: about ${usd(totalUsd)} spent, running and committed, ` +
    `and stopping may cost ${usd(overshootUsd)} more${unknown}`
  )
}

export function warningLine({ limitUsd }: Budget, { totalUsd }: Spend): string {
  return `about ${usd(totalUsd)} of the budget of ${usd(limitUsd)} is used`
}
