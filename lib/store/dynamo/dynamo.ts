import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb'
import type { RunState, TaskRun } from '../../domain/dispatch.ts'
import type { Graph } from '../../domain/graph/graph.ts'
import type { Store } from '../store.ts'
import { allPages } from './all-pages.ts'
import { badCursor, cursorKey, nextCursor } from './cursor.ts'
import { all, any, equals, isAbsent, isOneOf, isPresent, updateExpressions } from './expression.ts'
import { graphChunks, graphFromChunks } from './graph-items.ts'
import { holds } from './holds.ts'
import {
  allOpenShards,
  attemptAttributes,
  cancellationFromItem,
  dispatchFromItem,
  itemFromCancellation,
  itemFromDispatch,
  keys,
  openShard,
  runFromItem,
  timeToLive,
} from './items.ts'
import { indexes } from './table.ts'

/** BatchGetItem takes 100 keys (DynamoDB API reference, BatchGetItem). */
const batchGetKeys = 100
const cachedGraphs = 100

/**
 * The store on DynamoDB. `client` must leave out undefined values (`marshallOptions.removeUndefinedValues`).
 *
 * No transactions: what must be atomic lives in one item. A condition that fails because our own earlier write went
 * through and its answer was lost is recognised by reading the item back.
 */
export function createDynamoStore(client: Pick<DynamoDBDocumentClient, 'send'>, tableName: string): Store {
  const graphs = new Map<string, Graph>()

  const get = async (key: { pk: string; sk: string }) =>
    (await client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }))).Item

  const update = async (key: { pk: string; sk: string }, change: Parameters<typeof updateExpressions>[0]) =>
    holds(client.send(new UpdateCommand({ TableName: tableName, Key: key, ...updateExpressions(change) })))

  const put = async (item: Record<string, unknown>, ifAbsent: boolean) =>
    holds(
      client.send(
        new PutCommand({
          TableName: tableName,
          Item: item,
          ...(ifAbsent && { ConditionExpression: 'attribute_not_exists(pk)' }),
        }),
      ),
    )

  const queryPage = async (input: Omit<QueryCommandInput, 'TableName'>) => {
    try {
      return await client.send(new QueryCommand({ TableName: tableName, ...input }))
    } catch (error) {
      // The key of another list, owner or dispatch: DynamoDB refuses to start outside of the query.
      if (input.ExclusiveStartKey && error instanceof Error && error.name === 'ValidationException')
        throw badCursor(error)
      throw error
    }
  }

  const queryAll = (input: Omit<QueryCommandInput, 'TableName'>) =>
    allPages((start) => queryPage({ ...input, ExclusiveStartKey: start }))

  const batchGet = async (wanted: readonly { pk: string; sk: string }[]) => {
    const items: Record<string, unknown>[] = []
    for (let at = 0; at < wanted.length; at += batchGetKeys) {
      let left: UpdateCommandInput['Key'][] = wanted.slice(at, at + batchGetKeys)
      while (left.length > 0) {
        const answer = await client.send(
          new BatchGetCommand({
            RequestItems: { [tableName]: { Keys: left as Record<string, unknown>[], ConsistentRead: true } },
          }),
        )
        items.push(...(answer.Responses?.[tableName] ?? []))
        left = answer.UnprocessedKeys?.[tableName]?.Keys ?? []
      }
    }
    return items
  }

  const readRun = async (dispatchId: string, taskId: number): Promise<TaskRun | undefined> => {
    const item = await get(keys.task(dispatchId, taskId))
    return item && runFromItem(item)
  }

  const readDispatch: Store['readDispatch'] = async (dispatchId) => {
    const item = await get(keys.meta(dispatchId))
    return item && dispatchFromItem(item)
  }

  return {
    readDispatch,

    createDispatch: async (dispatch, graph) => {
      const ttl = timeToLive(dispatch.createdAt)
      for (const [n, chunk] of (graph ? graphChunks(graph) : []).entries())
        await put({ ...keys.graph(dispatch.id, n), ...chunk, ttl }, true)
      // META last: a dispatch exists when META does.
      return put(itemFromDispatch(dispatch), true)
    },

    readGraph: async (dispatchId) => {
      const known = graphs.get(dispatchId)
      if (known) return known
      const chunks = await queryAll(withPrefix(dispatchId, 'GRAPH#'))
      // Of a tombstone. Not to be remembered: it is no graph.
      if (chunks.length === 0) return { name: '', tags: {}, tasks: [] }
      const graph = graphFromChunks(chunks)
      graphs.set(dispatchId, graph)
      const oldest = graphs.keys().next().value
      if (graphs.size > cachedGraphs && oldest !== undefined) graphs.delete(oldest)
      return graph
    },

    readLive: async (dispatchId) => {
      const items = await queryAll({
        IndexName: indexes.live,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': keys.partition(dispatchId) },
      })
      return items.map(runFromItem)
    },

    readRuns: async (dispatchId, ids) => {
      const items = await batchGet(ids.map((id) => keys.task(dispatchId, id)))
      return items.map(runFromItem).sort((a, b) => a.id - b.id)
    },

    readAllRuns: async (dispatchId) => (await queryAll(withPrefix(dispatchId, 'TASK#'))).map(runFromItem),

    commitTurn: (dispatchId, version, changes) =>
      update(keys.meta(dispatchId), {
        set: {
          ...changes,
          ...(changes.endedAt !== undefined && { ttl: timeToLive(changes.endedAt), open: null }),
        },
        increment: ['version'],
        when: equals('version', version),
      }),

    clearLive: async (dispatchId, { id, claimId }) => {
      const when = all(isPresent('live'), equals('claimId', claimId))
      await update(keys.task(dispatchId, id), { set: {}, remove: ['live'], when })
    },

    redrive: async (dispatchId, version, { skipped, drivenAt, ...changes }) => {
      const written = await update(keys.meta(dispatchId), {
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

    claim: async (dispatchId, claim) => {
      const { taskId, attempt, claimId, executor, at, packLeader, redrive, follows, earlierSpend } = claim
      const isNext = all(isAbsent('live'), equals('claimId', follows))
      const isReleased = all(isPresent('live'), equals('attempt', attempt), equals('state', 'released'))
      const isFirst = isAbsent('pk')
      const isRetry = all(
        isPresent('live'),
        equals('attempt', attempt - 1),
        isOneOf('state', ['failed', 'lost'] satisfies RunState[]),
      )
      const claimed = await update(keys.task(dispatchId, taskId), {
        set: {
          taskId,
          attempt,
          claimId,
          executor,
          state: 'submitting',
          claimedAt: at,
          live: taskId,
          packLeader,
          // What an older drive has spent on the task is settled.
          earlierSpend: follows === undefined ? earlierSpend : null,
          redrive,
          ...(follows !== undefined && { firstAttempt: attempt }),
          ttl: timeToLive(at),
        },
        remove: attemptAttributes.filter((name) => name !== 'packLeader' || packLeader === undefined),
        when: follows === undefined ? any(isReleased, attempt === 1 ? isFirst : isRetry) : isNext,
      })
      return claimed || (await readRun(dispatchId, taskId))?.claimId === claimId
    },

    release: async (dispatchId, { taskId, claimId }, { drop, notBefore, failure }) => {
      await update(keys.task(dispatchId, taskId), {
        set: { state: 'released', notBefore, failure },
        remove: drop ? ['live'] : [],
        when: all(equals('claimId', claimId), equals('state', 'submitting')),
      })
    },

    putPack: async (dispatchId, leader, taskIds) => {
      await put({ ...keys.pack(dispatchId, leader), taskIds, ttl: timeToLive(Date.now()) }, false)
    },

    readPack: async (dispatchId, leader) => (await get(keys.pack(dispatchId, leader)))?.taskIds,

    storeHandle: async (dispatchId, { taskId, attempt }, handle, submittedAt) => {
      const stored = await update(keys.task(dispatchId, taskId), {
        set: { handle, submittedAt, state: 'queued' },
        when: all(equals('attempt', attempt), equals('state', 'submitting'), isAbsent('handle')),
      })
      if (stored) return true
      const run = await readRun(dispatchId, taskId)
      return run?.attempt === attempt && isDeepStrictEqual(run.handle, handle)
    },

    noteRun: (dispatchId, { taskId, attempt, unlessTimedOut }, change) =>
      update(keys.task(dispatchId, taskId), {
        set: { ...change },
        when: all(
          equals('attempt', attempt),
          isOneOf('state', statesBefore(change.state)),
          ...(unlessTimedOut ? [isAbsent('timedOutAt')] : []),
        ),
      }),

    putCancellation: async (cancellation) => {
      if (await put(itemFromCancellation(cancellation), true)) return cancellation
      return cancellationFromItem(await get(keys.cancellation(cancellation.dispatchId, cancellation.id)))
    },

    readCancellation: async (dispatchId, id) => {
      const item = await get(keys.cancellation(dispatchId, id))
      return item && cancellationFromItem(item)
    },

    listCancellations: async (dispatchId) =>
      (await queryAll(withPrefix(dispatchId, 'CANCEL#'))).map(cancellationFromItem).sort((a, b) => a.at - b.at),

    closeCancellation: async (dispatchId, id, final) => {
      await update(keys.cancellation(dispatchId, id), { set: { final }, when: isPresent('pk') })
    },

    writeFence: async (dispatchId, fence, { epoch, isDrain, leavesPass, version }) => {
      const written = await update(keys.meta(dispatchId), {
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
      await update(keys.meta(dispatchId), { set: { budget }, increment: ['version'], when: isPresent('pk') })
    },

    addEvent: async (dispatchId, at, lines) => {
      await put({ ...keys.event(dispatchId, at, randomUUID()), at, lines, ttl: timeToLive(at) }, false)
    },

    listEvents: async (dispatchId, { limit, cursor }) => {
      const page = await queryPage({
        ...withPrefix(dispatchId, 'EVENT#'),
        Limit: limit,
        ExclusiveStartKey: cursor === undefined ? undefined : cursorKey(cursor),
      })
      return {
        items: (page.Items ?? []).map((item) => ({ at: item.at, lines: item.lines })),
        ...nextCursor(page.LastEvaluatedKey),
      }
    },

    listByOwner: async (owner, { limit, cursor }) => {
      const page = await queryPage({
        IndexName: indexes.byOwner,
        KeyConditionExpression: '#owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner },
        ScanIndexForward: false,
        Limit: limit,
        ExclusiveStartKey: cursor === undefined ? undefined : cursorKey(cursor),
      })
      const order = (page.Items ?? []).map((item) => String(item.pk))
      const found = new Map((await batchGet(order.map((pk) => ({ pk, sk: 'META' })))).map((item) => [item.pk, item]))
      return {
        items: order.flatMap((pk) => (found.has(pk) ? [dispatchFromItem(found.get(pk))] : [])),
        ...nextCursor(page.LastEvaluatedKey),
      }
    },

    findByPrefix: async (owner, prefix, limit) => {
      const page = await queryPage({
        IndexName: indexes.byOwnerAndId,
        KeyConditionExpression: '#owner = :owner AND begins_with(dispatchId, :prefix)',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner, ':prefix': prefix },
        Limit: limit,
      })
      return (page.Items ?? []).map((item) => String(item.dispatchId))
    },

    listOpen: async () => {
      const shards = await Promise.all(
        allOpenShards.map((shard) =>
          queryAll({
            IndexName: indexes.open,
            KeyConditionExpression: '#open = :open',
            ExpressionAttributeNames: { '#open': 'open' },
            ExpressionAttributeValues: { ':open': shard },
          }),
        ),
      )
      return shards.flat().map((item) => String(item.pk).slice('DISPATCH#'.length))
    },
  }
}

/** From which states an attempt may come to a new one: it never goes back, and an end is written once. */
function statesBefore(state: RunState | undefined): readonly RunState[] {
  if (state === 'queued') return ['queued']
  if (state === 'running') return ['queued', 'running']
  return ['submitting', 'queued', 'running']
}

function withPrefix(dispatchId: string, prefix: string) {
  return {
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': keys.partition(dispatchId), ':prefix': prefix },
  }
}
