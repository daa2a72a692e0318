import { marshall } from '@aws-sdk/util-dynamodb'
import { expect, test } from 'vitest'
import { itemFromDispatch, keys } from '../../../lib/store/dynamo/items.ts'
import { readWritten } from '../../../lib/store/dynamo/written-item.ts'
import { aDispatch, aFence, aRun, aScope, someId } from '../../support/builders.ts'
import { streamImage } from '../../support/stream-image.ts'

const imageOf = (item: object) => streamImage(marshall(item))

test('META comes back as it was written, its bits and fences included', () => {
  const before = aDispatch({ taskCount: 9, tags: { B: 'x' } })
  const after = aDispatch({
    taskCount: 9,
    tags: { B: 'x' },
    outcomes: { 0: 'succeeded', 8: 'skipped' },
    fences: [aFence({ id: 'B', scope: aScope([3], 9), ended: { batch: { cancelled: 1, succeeded: 0, failed: 0 } } })],
  })
  const images = { OldImage: imageOf(itemFromDispatch(before)), NewImage: imageOf(itemFromDispatch(after)) }
  expect(readWritten(images)).toStrictEqual({ kind: 'dispatch', before, after })
})

test("a task's item is told with the dispatch that its key names", () => {
  const { id, live: _, ...rest } = aRun({ id: 7, state: 'queued' })
  const NewImage = imageOf({ ...keys.task(someId, id), taskId: id, live: id, ...rest })
  expect(readWritten({ NewImage })).toEqual({
    kind: 'run',
    dispatchId: someId,
    after: aRun({ id: 7, state: 'queued' }),
  })
})

test('deletions and other items are passed over', () => {
  const meta = imageOf(itemFromDispatch(aDispatch()))
  expect(readWritten({ OldImage: meta })).toBeUndefined()
  expect(readWritten({ NewImage: imageOf({ ...keys.wake(someId), seq: 1 }) })).toBeUndefined()
})

test('an item that is not what it should be is an error', () => {
  expect(() => readWritten({ NewImage: imageOf(keys.meta(someId)) })).toThrow()
})
