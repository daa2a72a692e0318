import { measureSpend } from '../../domain/budget/spend.ts'
import { outcomeOf } from '../../domain/settled.ts'
import type { DispatchView } from '../../schema/api.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from './find-dispatch.ts'
import { resultUriOf } from './result-uri.ts'
import { dispatchView, viewedAt } from './views.ts'

/** A dispatch as it is now. Errors: NotFound, also for others' dispatches. */
export async function describeDispatch(context: Context, caller: Caller, idOrPrefix: string): Promise<DispatchView> {
  const { store, policy, now } = context
  const found = await findDispatch(store, caller, idOrPrefix)
  const isRunning = found.status === 'running'
  const graph = await store.readGraph(found.id)
  const live = isRunning ? await store.readLive(found.id) : []
  // After the live tasks: what is settled in between would be in neither, and seem to wait for its start.
  const dispatch = (isRunning && (await store.readDispatch(found.id))) || found
  const cancellations = await store.listCancellations(dispatch.id)
  const post = graph.tasks.find((task) => task.postProcess && outcomeOf(dispatch, task.id) === 'succeeded')
  const [run] = post ? await store.readRuns(dispatch.id, [post.id]) : []
  const result = post && run && resultUriOf(context, dispatch.id, graph, post, run.attempt)
  const open = live.filter((run) => outcomeOf(dispatch, run.id) === undefined)
  const spend = measureSpend({ settled: dispatch.spent, graph, live: open }, policy.priceOf, now())
  return dispatchView({ dispatch, graph, runs: live, cancellations, spend }, viewedAt(context), result)
}
