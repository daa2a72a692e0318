import { expect, test } from 'vitest'
import { leftOf } from '../../../lib/domain/bulk/bulk.ts'
import { aBulk, someTime } from '../../support/builders.ts'

test('what has no outcome is left, whatever the outcomes are', () => {
  const bulk = aBulk({ dispatchIds: ['a', 'b', 'c'] })
  const failed = { at: someTime, result: 'failed', code: 'NotFound', message: 'gone' } as const
  const done = { at: someTime, result: 'done', stopping: 0, abandoned: 0, finished: 1 } as const
  expect(leftOf(bulk, [])).toEqual(['a', 'b', 'c'])
  expect(
    leftOf(bulk, [
      { dispatchId: 'c', ...failed },
      { dispatchId: 'a', ...done },
    ]),
  ).toEqual(['b'])
})
