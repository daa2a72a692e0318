import type { Dispatch } from '../domain/dispatch.ts'
import { outcomeOf } from '../domain/settled.ts'
import { measureSpend, type Spend } from '../domain/spend.ts'
import type { Context } from './context.ts'

/** What a dispatch has spent and is spending, from META and the live index. */
export async function readSpend({ store, policy, now }: Context, dispatch: Dispatch): Promise<Spend> {
  const graph = await store.readGraph(dispatch.id)
  const live = dispatch.status === 'running' ? await store.readLive(dispatch.id) : []
  const open = live.filter((run) => outcomeOf(dispatch, run.id) === undefined)
  return measureSpend({ settled: dispatch.spent, graph, live: open }, policy.priceOf, now())
}
