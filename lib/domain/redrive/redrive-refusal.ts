import { nothingSpent, totalOf } from '../budget/amounts.ts'
import { usd } from '../budget/usd.ts'
import type { Dispatch } from '../dispatch.ts'

/**
 * Attempts are numbered on through all drives, and a job's name has room for three digits (`job-name.ts`). A drive makes
 * ten at most (`retry.attempts`): 99 drives make 990.
 */
const mostRedrives = 98

/**
 * The graph and what has succeeded are kept for 400 days from when they were written (`store/dynamo/items.ts`), whatever is
 * redriven: this leaves a hundred for a drive.
 */
const mostDays = 300

/** Why a dispatch must not be redriven as it is, whatever tasks are named; undefined where it may. */
export function redriveRefusal(
  { id, createdAt, parent, redrives = 0, budget, spent }: Dispatch,
  now: number,
): string | undefined {
  if (parent)
    return (
      `dispatch ${id} is the job of a sublattice: redrive task ${parent.taskId} of dispatch ${parent.dispatchId}, ` +
      'which gets a new one'
    )
  if (redrives >= mostRedrives)
    return `dispatch ${id} was redriven ${redrives} times, and cannot be once more: dispatch its graph again`
  if (now - createdAt > mostDays * 86_400_000)
    return `dispatch ${id} was made more than ${mostDays} days ago, and cannot be redriven: dispatch its graph again`
  const spentUsd = totalOf(spent ?? nothingSpent).usd
  if (budget && spentUsd >= budget.limitUsd)
    return (
      `the budget of dispatch ${id} is used up, about ${usd(spentUsd)} of ${usd(budget.limitUsd)}: ` +
      'raise it first (quench budget ID --limit)'
    )
  return undefined
}
