import type { BudgetView } from '../../schema/api.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from '../read/find-dispatch.ts'
import { budgetView } from './budget-view.ts'
import { readSpend } from './read-spend.ts'

/** What a dispatch has spent and may spend. Errors: NotFound, also for others' dispatches. */
export async function describeBudget(context: Context, caller: Caller, idOrPrefix: string): Promise<BudgetView> {
  const dispatch = await findDispatch(context.store, caller, idOrPrefix)
  return budgetView(dispatch, await readSpend(context, dispatch))
}
