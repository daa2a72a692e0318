import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { submitPackOf } from './submit-pack-of.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

test('a pack of 10,000 starts as one job, each member claimed once', async () => {
  const { elements, runs } = await submitPackOf(dynamo, 10_000, 1, 'ThrottlingException')
  expect(elements).toHaveLength(10_000)
  expect(new Set(elements).size).toBe(1)
  expect(runs).toHaveLength(10_000)
})
