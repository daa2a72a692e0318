import { usd } from '../../domain/budget/usd.ts'
import type { BudgetRequest, BudgetView } from '../../schema/api.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from '../read/find-dispatch.ts'
import { budgetView } from './budget-view.ts'
import { readSpend } from './read-spend.ts'

/**
 * Give a dispatch another budget. One that has ended takes it too: to be redriven under it.
 *
 * Guarantees: a turn that planned with the old budget cannot commit over the new one. What the old one has cancelled stays
 * cancelled. A limit below what is spent stops the dispatch with its next turn.
 * Errors: NotFound.
 */
export async function setBudget(
  context: Context,
  caller: Caller,
  idOrPrefix: string,
  budget: BudgetRequest,
): Promise<BudgetView> {
  const { store, now, executions } = context
  const dispatch = await findDispatch(store, caller, idOrPrefix)
  await store.setBudget(dispatch.id, budget)
  const warning = budget.warnAtUsd === undefined ? '' : `, with a warning at ${usd(budget.warnAtUsd)}`
  await store.addHistory(dispatch.id, now(), [`${caller.id} sets the budget to ${usd(budget.limitUsd)}${warning}`])
  await executions.wake(dispatch.id)
  return budgetView({ ...dispatch, budget }, await readSpend(context, dispatch))
}
