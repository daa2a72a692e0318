import type { Dispatch } from '../../domain/dispatch.ts'
import { executorsOf } from '../../domain/graph/executors-of.ts'
import type { Graph } from '../../domain/graph/graph.ts'
import { nothingSettled } from '../../domain/settled.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { stableId } from '../stable-id.ts'
import { checkGraph } from './check-graph.ts'

/**
 * Check a graph, store it, and start its loop.
 *
 * Guarantees: nothing is stored when anything is wrong; with an idempotency key, the same graph sent again gives the
 * dispatch that is there. A crash before the loop has started leaves an open dispatch, which the sweeper (on AWS) or
 * the next start (embedded) takes up.
 * Errors: InvalidInput with every problem of the graph.
 */
export async function submitDispatch(
  context: Context,
  caller: Caller,
  input: unknown,
  idempotencyKey?: string,
): Promise<{ dispatchId: string }> {
  const graph = checkGraph(context, input)
  const dispatchId =
    idempotencyKey === undefined
      ? context.newId()
      : stableId('dispatch', caller.id, idempotencyKey, JSON.stringify(graph))
  await startDispatch(context, graph, { id: dispatchId, owner: caller.id, tags: graph.tags })
  return { dispatchId }
}

/** Store a checked graph as a dispatch and start its loop; where the dispatch is there, only see to its loop. */
export async function startDispatch(
  { store, executions, now }: Context,
  graph: Graph,
  { id, ...given }: Pick<Dispatch, 'id' | 'owner' | 'tags' | 'parent'>,
): Promise<void> {
  const isNew = await store.createDispatch(
    {
      id,
      ...given,
      name: graph.name,
      taskCount: graph.tasks.length,
      executors: executorsOf(graph),
      status: 'running',
      createdAt: now(),
      settled: nothingSettled(graph.tasks.length),
      fences: {},
      ...(graph.budget && { budget: graph.budget }),
      epoch: 1,
      version: 1,
    },
    graph,
  )
  if (isNew) await store.addHistory(id, now(), [`dispatch ${graph.name}: ${graph.tasks.length} tasks`])
  const dispatch = isNew ? { status: 'running', epoch: 1 } : await store.readDispatch(id)
  if (dispatch?.status === 'running') await executions.start(id, dispatch.epoch)
}
