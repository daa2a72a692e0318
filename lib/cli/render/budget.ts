import { usd } from '../../domain/budget/usd.ts'
import type { BudgetView, DispatchView } from '../../schema/api.ts'
import type { Paint } from './paint.ts'
import { renderTable } from './table.ts'
import { plural } from './text.ts'

/** What `quench budget` says. */
export function renderBudget(view: BudgetView, paint: Paint): string[] {
  const rows = Object.entries(view.backends).map(([name, amounts]) => [
    name,
    usd(amounts.settledUsd),
    usd(amounts.runningUsd),
    usd(amounts.committedUsd),
    amounts.unknownJobs > 0 ? plural(amounts.unknownJobs, 'job') : '',
  ])
  const table =
    rows.length > 0
      ? renderTable(['BACK END', 'ENDED', 'RUNNING', 'COMMITTED', 'PRICE UNKNOWN'], rows, { paint })
      : ['Nothing was started that costs anything.']
  return [...table, '', ...totals(view, paint)]
}

function totals(view: BudgetView, paint: Paint): string[] {
  const { totalUsd, limitUsd, warnAtUsd, warnedAt, overshootUsd, usdPerHour, unknownJobs, isExceeded } = view
  const limit = limitUsd === undefined ? 'no limit' : `limit ${usd(limitUsd)}`
  const line = `about ${usd(totalUsd)} in all, ${limit}`
  const warning = warnedAt === undefined ? 'not reached' : `reached at ${warnedAt}`
  return [
    isExceeded ? paint('red', `${line}: used up`) : line,
    ...(warnAtUsd === undefined ? [] : [`warning at ${usd(warnAtUsd)}: ${warning}`]),
    ...(usdPerHour > 0 ? [`now ${usd(usdPerHour)} an hour; stopping may still cost ${usd(overshootUsd)}`] : []),
    ...(unknownJobs > 0 ? [`not in it: ${plural(unknownJobs, 'job')} whose price is not known`] : []),
  ]
}

/** The same in one line, for `quench show`. */
export function renderSpend(spend: DispatchView['spend']): string | undefined {
  // Where nobody has said what things cost there is nothing to say either, unless a limit depends on it.
  if (!spend || (spend.totalUsd === 0 && spend.limitUsd === undefined)) return undefined
  const { totalUsd, limitUsd, unknownJobs } = spend
  const limit = limitUsd === undefined ? '' : ` of ${usd(limitUsd)}`
  const unknown = unknownJobs > 0 ? `, and ${plural(unknownJobs, 'job')} whose price is not known` : ''
  return `about ${usd(totalUsd)}${limit}${unknown}`
}
