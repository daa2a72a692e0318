import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cancelOneOfBulk } from '../../../lib/app/bulk/cancel-one-of-bulk.ts'
import { startBulk } from '../../../lib/app/bulk/start-bulk.ts'
import type { Context } from '../../../lib/app/context.ts'
import { submitDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import { sweepBulks } from '../../../lib/aws/sweep/sweep-bulks.ts'
import type { BulkCancellation } from '../../../lib/domain/bulk/bulk.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { someTime } from '../../support/builders.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** A bulk cancellation of two dispatches that is with a queue which does nothing, or died on its way to it. */
async function aWorld({ isHandedOver = true } = {}) {
  const { context } = anAppContext(dynamo)
  const owner = { id: context.newId(), isAdmin: false }
  const graph = { name: 'some', tasks: [{ name: 'only', executor: 'batch' }] }
  for (let n = 0; n < 2; n++) await submitDispatch(context, owner, graph)
  const enqueued: string[][] = []
  const enqueue = async (_bulkId: string, ids: readonly string[]) => {
    enqueued.push([...ids])
  }
  const order = { where: { owner: 'me' }, mode: 'graceful', graceSeconds: 30, reason: 'enough', dryRun: false } as const
  const dying = { enqueue: () => Promise.reject(new Error('the process has died')) }
  const starting: Context = { ...context, bulkRunner: isHandedOver ? { enqueue } : dying }
  const id = context.newId()
  const started = startBulk({ ...starting, newId: () => id }, owner, order, { source: 'api' })
  if (isHandedOver) await started
  else await expect(started).rejects.toThrow('died')
  const read = async () => (await context.bulks.read(id)) as BulkCancellation
  const sweepAfter = (seconds: number) =>
    sweepBulks({ ...context, bulkRunner: { enqueue }, now: () => someTime + seconds * 1000 })
  return { context, enqueued, read, sweepAfter, end: () => sweepAfter(7 * 3600) }
}

describe('a sweep', () => {
  test('hands over what was not, once that cannot be under way any more', async () => {
    const { enqueued, read, sweepAfter, end } = await aWorld({ isHandedOver: false })
    expect(await sweepAfter(59)).toEqual({ openBulks: 1, bulkResumed: 0, bulkGivenUp: 0 })
    expect(await sweepAfter(61)).toEqual({ openBulks: 1, bulkResumed: 2, bulkGivenUp: 0 })
    expect(enqueued).toEqual([(await read()).dispatchIds])
    await end()
  })

  test('leaves to the queue what is with it, and hands over again what is still not done after half an hour', async () => {
    const { context, enqueued, read, sweepAfter, end } = await aWorld()
    const bulk = await read()
    const [first = '', second = ''] = bulk.dispatchIds
    expect(await sweepAfter(29 * 60)).toMatchObject({ bulkResumed: 0 })
    await cancelOneOfBulk(context, bulk, first)
    expect(await sweepAfter(31 * 60)).toMatchObject({ bulkResumed: 1 })
    expect(await sweepAfter(32 * 60)).toMatchObject({ bulkResumed: 0 })
    expect(enqueued).toEqual([bulk.dispatchIds, [second]])
    await end()
  })

  test('notes the end of one that is done', async () => {
    const { context, read, sweepAfter } = await aWorld()
    const bulk = await read()
    for (const id of bulk.dispatchIds) await cancelOneOfBulk(context, bulk, id)
    expect(await sweepAfter(60)).toMatchObject({ openBulks: 1, bulkResumed: 0 })
    expect(await read()).toMatchObject({ ended: { done: 2, failed: 0 } })
    expect(await sweepAfter(61)).toMatchObject({ openBulks: 0 })
  })

  test('gives up after six hours what nobody could cancel, and says so', async () => {
    const { context, read, sweepAfter } = await aWorld()
    const bulk = await read()
    const [first = '', second = ''] = bulk.dispatchIds
    await cancelOneOfBulk(context, bulk, first)
    expect(await sweepAfter(6 * 3600 + 1)).toMatchObject({ bulkGivenUp: 1 })
    expect(await read()).toMatchObject({ ended: { done: 1, failed: 1 } })
    expect(await context.bulks.readOutcomes(bulk.id, [second])).toMatchObject([{ code: 'GivenUp' }])
  })
})
