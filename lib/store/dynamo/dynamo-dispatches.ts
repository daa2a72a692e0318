import type { Graph } from '../../domain/graph/graph.ts'
import type { Store } from '../store.ts'
import { all, equals, isAbsent, isPresent } from './expression.ts'
import { graphChunks, graphFromChunks } from './graph-items.ts'
import {
  cancellationFromItem,
  dispatchFromItem,
  itemFromCancellation,
  itemFromDispatch,
  keys,
  openShard,
  timeToLive,
} from './items.ts'
import { ifAbsent, type OpenTable } from './open-table.ts'
import { withPrefix } from './with-prefix.ts'

type Dispatches = Pick<
  Store,
  | 'readDispatch'
  | 'readDispatches'
  | 'createDispatch'
  | 'readGraph'
  | 'commitTurn'
  | 'redrive'
  | 'writeFence'
  | 'setBudget'
  | 'putCancellation'
  | 'readCancellation'
  | 'listCancellations'
  | 'noteGivenUp'
  | 'closeCancellation'
>

const cachedGraphs = 100

/** Dispatches as a whole: META, graphs, and the records of cancellations. */
export function dynamoDispatches(table: OpenTable): Dispatches {
  const graphs = new Map<string, Graph>()

  const readDispatch: Store['readDispatch'] = async (dispatchId) => {
    const item = await table.get(keys.meta(dispatchId))
    return item && dispatchFromItem(item)
  }

  return {
    readDispatch,

    readDispatches: async (dispatchIds) => {
      const items = await table.batchGet([...new Set(dispatchIds)].map(keys.meta))
      return new Map(items.map(dispatchFromItem).map((dispatch) => [dispatch.id, dispatch]))
    },

    createDispatch: async (dispatch, graph) => {
      const ttl = timeToLive(dispatch.createdAt)
      for (const [n, chunk] of (graph ? graphChunks(graph) : []).entries())
        await table.put({ ...keys.graph(dispatch.id, n), ...chunk, ttl }, ifAbsent)
      // META last: a dispatch exists when META does.
      return table.put(itemFromDispatch(dispatch), ifAbsent)
    },

    readGraph: async (dispatchId) => {
      const known = graphs.get(dispatchId)
      if (known) return known
      const chunks = await table.queryAll(withPrefix(dispatchId, 'GRAPH#'))
      // Of a tombstone. Not to be remembered: it is no graph.
      if (chunks.length === 0) return { name: '', tags: {}, tasks: [] }
      const graph = graphFromChunks(chunks)
      graphs.set(dispatchId, graph)
      const oldest = graphs.keys().next().value
      if (graphs.size > cachedGraphs && oldest !== undefined) graphs.delete(oldest)
      return graph
    },

    commitTurn: (dispatchId, version, changes) =>
      table.update(keys.meta(dispatchId), {
        set: {
          ...changes,
          ...(changes.endedAt !== undefined && { ttl: timeToLive(changes.endedAt), open: null }),
        },
        increment: ['version'],
        when: equals('version', version),
      }),

    redrive: async (dispatchId, version, { skipped, drivenAt, ...changes }) => {
      const written = await table.update(keys.meta(dispatchId), {
        set: {
          ...changes,
          skipped: skipped ?? null,
          drivenAt,
          status: 'running',
          endedAt: null,
          fences: {},
          killPass: null,
          polledAt: null,
          open: openShard(dispatchId),
          ttl: timeToLive(drivenAt),
        },
        increment: ['version', 'epoch'],
        when: equals('version', version),
      })
      return written || (await readDispatch(dispatchId))?.redriveKey === changes.redriveKey
    },

    writeFence: async (dispatchId, fence, { epoch, isDrain, leavesPass, version }) => {
      const written = await table.update(keys.meta(dispatchId), {
        set: { killPass: leavesPass ? null : { at: fence.at, count: 1 } },
        setAt: [{ path: ['fences', fence.id], value: fence }],
        increment: isDrain ? ['version', 'epoch'] : ['version'],
        // The epoch: a redrive that came between would be cancelled by a request that came before it.
        when: all(
          equals('status', 'running'),
          isAbsent(['fences', fence.id]),
          equals('epoch', epoch),
          ...(version === undefined ? [] : [equals('version', version)]),
        ),
      })
      return written || (await readDispatch(dispatchId))?.fences[fence.id] !== undefined
    },

    setBudget: async (dispatchId, budget) => {
      await table.update(keys.meta(dispatchId), { set: { budget }, increment: ['version'], when: isPresent('pk') })
    },

    putCancellation: async (cancellation) => {
      if (await table.put(itemFromCancellation(cancellation), ifAbsent)) return cancellation
      return cancellationFromItem(await table.get(keys.cancellation(cancellation.dispatchId, cancellation.id)))
    },

    readCancellation: async (dispatchId, id) => {
      const item = await table.get(keys.cancellation(dispatchId, id))
      return item && cancellationFromItem(item)
    },

    listCancellations: async (dispatchId) =>
      (await table.queryAll(withPrefix(dispatchId, 'CANCEL#'))).map(cancellationFromItem).sort((a, b) => a.at - b.at),

    noteGivenUp: (dispatchId, { id, givenUp = [] }, giveUp) =>
      table.update(keys.cancellation(dispatchId, id), {
        // They are only ever added to, so their number says whether there are others by now.
        set: { givenUp: [...givenUp, giveUp], giveUps: givenUp.length + 1 },
        when: all(isPresent('pk'), givenUp.length === 0 ? isAbsent('giveUps') : equals('giveUps', givenUp.length)),
      }),

    closeCancellation: async (dispatchId, id, final) => {
      await table.update(keys.cancellation(dispatchId, id), { set: { final }, when: isPresent('pk') })
    },
  }
}
