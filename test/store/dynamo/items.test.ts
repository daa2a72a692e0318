import { expect, test } from 'vitest'
import type { Cancellation } from '../../../lib/domain/cancellation.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import {
  allOpenShards,
  cancellationFromItem,
  dispatchFromItem,
  itemFromCancellation,
  itemFromDispatch,
  keys,
  openShard,
  runFromItem,
  timeToLive,
} from '../../../lib/store/dynamo/items.ts'
import { aCancellation, aDispatch, aFence, aScope, someId, someTime } from '../../support/builders.ts'

test.each<[string, Dispatch]>([
  ['bare', aDispatch()],
  [
    'fenced',
    aDispatch({
      fences: [aFence({ unconfirmedAt: 9 }), aFence({ id: 'part', scope: aScope([0], 1) })],
      killPass: { at: 1, count: 2 },
    }),
  ],
  ['ended', aDispatch({ status: 'failed', endedAt: someTime, outcomes: { 0: 'skipped' }, polledAt: 5 })],
])('a dispatch that is %s comes back from its item as it was', (_, dispatch) => {
  expect(dispatchFromItem(itemFromDispatch(dispatch))).toStrictEqual(dispatch)
})

test.each<[string, Cancellation]>([
  ['the whole', aCancellation()],
  ['a part, with a key', aCancellation({ taskIds: [1, 2], idempotencyKey: 'k', source: 'console', mode: 'force' })],
])('a cancellation of %s comes back from its item as it was', (_, cancellation) => {
  expect(cancellationFromItem(itemFromCancellation(cancellation))).toStrictEqual(cancellation)
})

test('a run is live while its item has the mark, and what only the store needs is left out', () => {
  const item = {
    ...keys.task(someId, 3),
    taskId: 3,
    attempt: 1,
    executor: 'ssh',
    state: 'queued',
    claimId: 'c',
    claimedAt: 1,
  }
  const run = { id: 3, attempt: 1, executor: 'ssh', state: 'queued', claimId: 'c', claimedAt: 1 }
  expect(runFromItem({ ...item, ttl: 9, live: 3 })).toStrictEqual({ ...run, live: true })
  expect(runFromItem(item)).toStrictEqual({ ...run, live: false })
})

test('an item that is not what it should be is an error, not a guess', () => {
  expect(() => dispatchFromItem({})).toThrow()
  expect(() => dispatchFromItem({ ...itemFromDispatch(aDispatch()), status: 'paused' })).toThrow()
  expect(() => runFromItem({ taskId: 1 })).toThrow()
  expect(() => cancellationFromItem({ ...itemFromCancellation(aCancellation()), source: 'nobody' })).toThrow()
})

test('keys sort as their numbers do', () => {
  const sorted = (made: { sk: string }[]) => made.map(({ sk }) => sk).toSorted()
  const tasks = [0, 9, 10, 999, 9_999].map((id) => keys.task('d', id))
  const chunks = [0, 9, 10].map((n) => keys.graph('d', n))
  const events = [0, someTime, 9_999_999_999_999].map((at) => keys.event('d', at, 'x'))
  for (const made of [tasks, chunks, events]) expect(sorted(made)).toEqual(made.map(({ sk }) => sk))
  expect(keys.meta('d')).toEqual({ pk: 'DISPATCH#d', sk: 'META' })
})

test('only a running dispatch is in the index of open ones', () => {
  expect(itemFromDispatch(aDispatch())).toMatchObject({ open: openShard(someId) })
  expect(itemFromDispatch(aDispatch({ status: 'cancelled' }))).not.toHaveProperty('open')
})

test('open dispatches are spread over every shard, each always in the same one', () => {
  const ids = Array.from({ length: 400 }, (_, n) => `dispatch-${n}`)
  expect(new Set(ids.map(openShard))).toEqual(new Set(allOpenShards))
  expect(ids.map(openShard)).toEqual(ids.map(openShard))
})

test('items outlive the longest execution', () => {
  expect(timeToLive(someTime + 500) - someTime / 1000).toBeGreaterThan(365 * 86_400)
  expect(Number.isInteger(timeToLive(someTime + 500))).toBe(true)
})
