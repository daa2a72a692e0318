import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import type { BulkStore } from '../../lib/store/bulk-store.ts'
import { createDynamoStore } from '../../lib/store/dynamo/dynamo.ts'
import { createDynamoBulks } from '../../lib/store/dynamo/dynamo-bulks.ts'
import { aBulk, someTime } from '../support/builders.ts'
import { aNewId } from './store-contract.ts'

let dynamo: LocalDynamo
let bulks: BulkStore

beforeAll(async () => {
  dynamo = await startLocalDynamo()
  bulks = createDynamoBulks(dynamo.client, dynamo.tableName)
})
afterAll(() => dynamo.close())

const aDone = (dispatchId: string) => ({
  dispatchId,
  at: someTime,
  result: 'done' as const,
  cancellationId: 'cancellation-1',
  stopping: 1,
  abandoned: 2,
  finished: 3,
})
const aFailed = (dispatchId: string) => ({
  dispatchId,
  at: someTime,
  result: 'failed' as const,
  code: 'NotFound',
  message: 'there is none',
})

describe('a bulk cancellation', () => {
  test('comes back as it was put, with every id', async () => {
    const bulk = aBulk({ id: aNewId(), dispatchIds: Array.from({ length: 500 }, aNewId) })
    expect(await bulks.put(bulk)).toEqual(bulk)
    expect(await bulks.read(bulk.id)).toEqual(bulk)
    expect(await bulks.read(aNewId())).toBeUndefined()
  })

  test('of nothing can be kept', async () => {
    const bulk = aBulk({ id: aNewId(), dispatchIds: [] })
    await bulks.put(bulk)
    expect(await bulks.read(bulk.id)).toEqual(bulk)
  })

  test('of the most dispatches that are allowed fits its item', async () => {
    const bulk = aBulk({ id: aNewId(), dispatchIds: Array.from({ length: 10_000 }, aNewId) })
    await bulks.put(bulk)
    expect((await bulks.read(bulk.id))?.dispatchIds).toEqual(bulk.dispatchIds)
  })

  test('is put once: who comes second gets the first', async () => {
    const first = aBulk({ id: aNewId(), dispatchIds: [aNewId()] })
    await bulks.put(first)
    expect(await bulks.put({ ...first, dispatchIds: [aNewId()], reason: 'another' })).toEqual(first)
  })

  test('is in the list of open ones until it has ended, and no dispatch is', async () => {
    const bulk = aBulk({ id: aNewId() })
    await bulks.put(bulk)
    await bulks.noteHandedOver(bulk.id, someTime + 5)
    expect(await bulks.listOpen()).toContain(bulk.id)
    await bulks.noteEnd(bulk.id, { at: someTime + 9, done: 1, failed: 0 })
    await bulks.noteEnd(bulk.id, { at: someTime + 10, done: 0, failed: 1 })
    expect(await bulks.listOpen()).not.toContain(bulk.id)
    expect(await bulks.read(bulk.id)).toEqual({
      ...bulk,
      handedOverAt: someTime + 5,
      ended: { at: someTime + 9, done: 1, failed: 0 },
    })
    expect(await createDynamoStore(dynamo.client, dynamo.tableName).listOpen()).toEqual([])
  })
})

describe('an outcome', () => {
  test('is read by its dispatch, or with all the others', async () => {
    const [bulkId, first, second, third] = [aNewId(), aNewId(), aNewId(), aNewId()]
    for (const outcome of [aDone(first), aFailed(second), aDone(third)]) await bulks.putOutcome(bulkId, outcome)
    expect(await bulks.readOutcomes(bulkId)).toEqual([aDone(first), aFailed(second), aDone(third)])
    expect(await bulks.readOutcomes(bulkId, [third, first])).toEqual([aDone(first), aDone(third)])
    expect(await bulks.readOutcomes(bulkId, [])).toEqual([])
    expect(await bulks.readOutcomes(aNewId())).toEqual([])
  })

  test('stays as it was first, except that a late success takes the place of a failure', async () => {
    const [bulkId, dispatchId] = [aNewId(), aNewId()]
    await bulks.putOutcome(bulkId, aFailed(dispatchId))
    await bulks.putOutcome(bulkId, { ...aFailed(dispatchId), code: 'Conflict' })
    expect(await bulks.readOutcomes(bulkId)).toMatchObject([{ code: 'NotFound' }])
    await bulks.putOutcome(bulkId, aDone(dispatchId))
    await bulks.putOutcome(bulkId, aFailed(dispatchId))
    await bulks.putOutcome(bulkId, { ...aDone(dispatchId), stopping: 9 })
    expect(await bulks.readOutcomes(bulkId)).toEqual([aDone(dispatchId)])
  })
})
