import { measureSpend, type Spend } from '../../domain/budget/spend.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { outcomeOf } from '../../domain/settled.ts'
import type { Context } from '../context.ts'

/**
 * What a dispatch has spent and is spending, from the live index and then META once more: what a turn settles between the
 * two reads is counted there, and not missed.
 */
export async function readSpend({ store, policy, now }: Context, dispatch: Dispatch): Promise<Spend> {
  const { id, status } = dispatch
  const graph = await store.readGraph(id)
  const live = status === 'running' ? await store.readLive(id) : []
  const after = (status === 'running' && (await store.readDispatch(id))) || dispatch
  const open = live.filter((run) => outcomeOf(after, run.id) === undefined)
  return measureSpend({ settled: after.spent, graph, live: open }, policy.priceOf, now())
}
