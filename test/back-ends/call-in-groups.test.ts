import { expect, test } from 'vitest'
import { callInGroups } from '../../lib/back-ends/call-in-groups.ts'
import { BackendUnavailable } from '../../lib/domain/errors.ts'

const down = (arrived: 'no' | 'unknown' = 'no') => new BackendUnavailable('down', { arrived })

/** Calls of two items each; the answer of an item is its double. */
const double = (items: readonly number[], call: (group: readonly number[]) => Promise<readonly number[]>) =>
  callInGroups({ items, size: 2, call, failed: () => -1 })

test('every item has its answer, in its place, from as few calls as there can be', async () => {
  const calls: (readonly number[])[] = []
  const answers = await double([1, 2, 3, 4, 5], async (group) => {
    calls.push(group)
    return group.map((one) => one * 2)
  })
  expect(answers).toEqual([2, 4, 6, 8, 10])
  expect(calls).toEqual([[1, 2], [3, 4], [5]])
})

test('no item is no call', async () => {
  expect(await double([], () => Promise.reject(down()))).toEqual([])
})

test('a call that fails costs its own items their answers', async () => {
  const answers = await double([1, 2, 3, 4], async (group) => {
    if (group.includes(3)) throw down()
    return group
  })
  expect(answers).toEqual([1, 2, -1, -1])
})

test('where no call went through, the error of the first is thrown', async () => {
  const calls = [down('unknown'), down('no')]
  const error = await double([1, 2, 3], () => Promise.reject(calls.shift())).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'BackendUnavailable', arrived: 'unknown' })
})

test('a defect is thrown, whatever else went through', async () => {
  const defect = new TypeError('there is no such field')
  const failing = async (group: readonly number[]) => {
    if (group.includes(3)) throw defect
    return group
  }
  await expect(double([1, 2, 3, 4], failing)).rejects.toBe(defect)
})
