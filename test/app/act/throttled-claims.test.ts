import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { submitPackOf } from './submit-pack-of.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

test('a claim that is throttled is made again, and the pack is one job of all its members', async () => {
  const { elements, runs } = await submitPackOf(dynamo, 20, 2, 'ProvisionedThroughputExceededException')
  expect(elements).toHaveLength(20)
  expect(new Set(elements).size).toBe(1)
  expect(runs.every(({ state, attempt }) => state === 'queued' && attempt === 1)).toBe(true)
})

test('a claim that does not go through is given back, and the others are one job without it', async () => {
  const { elements, runs } = await submitPackOf(dynamo, 20, 1, 'InternalServerError')
  expect(elements).toHaveLength(19)
  expect(new Set(elements).size).toBe(1)
  // Nothing is left of it that would have to be looked for, nor an attempt lost.
  expect(runs.filter(({ id }) => id === 7)).toEqual([])
})
