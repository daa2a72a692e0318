import type { Spend } from '../../domain/budget/spend.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import type { BudgetView } from '../../schema/api.ts'
import { iso } from '../read/views.ts'

export function budgetView({ id, budget }: Dispatch, spend: Spend): BudgetView {
  const { settled, running, committed, totalUsd, unknownJobs, usdPerSecond, overshootUsd } = spend
  const executors = [...new Set([settled, running, committed].flatMap((amounts) => Object.keys(amounts)))].sort()
  const backends = executors.map((name) => {
    const [ended, runs, owed] = [settled[name], running[name], committed[name]]
    const counted = { settledUsd: ended?.usd ?? 0, runningUsd: runs?.usd ?? 0, committedUsd: owed?.usd ?? 0 }
    const unknown = [ended, runs, owed].reduce((sum, amount) => sum + (amount?.unknownJobs ?? 0), 0)
    return [name, { ...counted, unknownJobs: unknown }] as const
  })
  return {
    dispatchId: id,
    ...(budget && { limitUsd: budget.limitUsd }),
    ...(budget?.warnAtUsd !== undefined && { warnAtUsd: budget.warnAtUsd }),
    ...(budget?.warnedAt !== undefined && { warnedAt: iso(budget.warnedAt) }),
    isExceeded: budget !== undefined && totalUsd >= budget.limitUsd,
    totalUsd,
    unknownJobs,
    usdPerHour: usdPerSecond * 3600,
    overshootUsd,
    backends: Object.fromEntries(backends),
  }
}
