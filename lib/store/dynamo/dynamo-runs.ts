import { isDeepStrictEqual } from 'node:util'
import type { Pace } from '../../back-ends/pace.ts'
import type { RunState, TaskRun } from '../../domain/task-run.ts'
import type { Store } from '../store.ts'
import { all, any, equals, isAbsent, isOneOf, isPresent } from './expression.ts'
import { attemptAttributes, keys, runFromItem, timeToLive } from './items.ts'
import type { OpenTable } from './open-table.ts'
import { indexes } from './table.ts'
import { withPrefix } from './with-prefix.ts'

type Runs = Pick<
  Store,
  | 'readLive'
  | 'readRuns'
  | 'readAllRuns'
  | 'clearLive'
  | 'claim'
  | 'release'
  | 'putPack'
  | 'readPack'
  | 'storeHandle'
  | 'noteRun'
>

/** Tasks that were claimed, an item each, and which of them are one job. */
export function dynamoRuns(table: OpenTable, pace?: Pace): Runs {
  const readRun = async (dispatchId: string, taskId: number): Promise<TaskRun | undefined> => {
    const item = await table.get(keys.task(dispatchId, taskId))
    return item && runFromItem(item)
  }

  return {
    readLive: async (dispatchId) => {
      const items = await table.queryAll({
        IndexName: indexes.live,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': keys.partition(dispatchId) },
      })
      return items.map(runFromItem)
    },

    readRuns: async (dispatchId, ids) => {
      const items = await table.batchGet(ids.map((id) => keys.task(dispatchId, id)))
      return items.map(runFromItem).sort((a, b) => a.id - b.id)
    },

    readAllRuns: async (dispatchId) => (await table.queryAll(withPrefix(dispatchId, 'TASK#'))).map(runFromItem),

    clearLive: async (dispatchId, { id, claimId }) => {
      const when = all(isPresent('live'), equals('claimId', claimId))
      await table.update(keys.task(dispatchId, id), { set: {}, remove: ['live'], when })
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
      await pace?.turn()
      const claimed = await table.update(keys.task(dispatchId, taskId), {
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
      await table.update(keys.task(dispatchId, taskId), {
        set: { state: 'released', notBefore, failure },
        remove: drop ? ['live'] : [],
        when: all(equals('claimId', claimId), equals('state', 'submitting')),
      })
    },

    putPack: async (dispatchId, leader, taskIds) => {
      await table.put({ ...keys.pack(dispatchId, leader), taskIds, ttl: timeToLive(Date.now()) })
    },

    readPack: async (dispatchId, leader) => (await table.get(keys.pack(dispatchId, leader)))?.taskIds,

    storeHandle: async (dispatchId, { taskId, attempt }, handle, submittedAt) => {
      const stored = await table.update(keys.task(dispatchId, taskId), {
        set: { handle, submittedAt, state: 'queued' },
        when: all(equals('attempt', attempt), equals('state', 'submitting'), isAbsent('handle')),
      })
      if (stored) return true
      const run = await readRun(dispatchId, taskId)
      return run?.attempt === attempt && isDeepStrictEqual(run.handle, handle)
    },

    noteRun: (dispatchId, { taskId, attempt, unlessTimedOut }, change) =>
      table.update(keys.task(dispatchId, taskId), {
        set: { ...change },
        when: all(
          equals('attempt', attempt),
          isOneOf('state', statesBefore(change.state)),
          ...(unlessTimedOut ? [isAbsent('timedOutAt')] : []),
        ),
      }),
  }
}

/** From which states an attempt may come to a new one: it never goes back, and an end is written once. */
function statesBefore(state: RunState | undefined): readonly RunState[] {
  if (state === 'queued') return ['queued']
  if (state === 'running') return ['queued', 'running']
  return ['submitting', 'queued', 'running']
}
