import { describe, expect, test } from 'vitest'
import { aRunningDispatch, single, useWorlds, type World } from './a-world.ts'

const aWorld = useWorlds()
let made = 0

const graphOf = (tag: string) => ({ ...single, tags: { tag } })
const aTag = () => `bulk-${made++}`
const view = async (world: World, bulkId: string) => (await world.request('GET', `/cancellations/${bulkId}`)).body

describe('a bulk cancellation on AWS', () => {
  test('is worked off from the queue without whoever asked for it', async () => {
    const world = await aWorld()
    const tag = aTag()
    const ids: string[] = []
    for (let n = 0; n < 12; n++) ids.push(await aRunningDispatch(world, graphOf(tag)))
    const preview = await world.cancelMany({ where: `tag:tag=${tag}`, dryRun: true })
    expect(preview).toMatchObject({ statusCode: 200, body: { count: 12, dryRun: true } })
    const { statusCode, body } = await world.cancelMany({ where: `tag:tag=${tag}`, expectedCount: 12, reason: 'dear' })
    expect(statusCode).toBe(202)
    expect(world.queue.sent.map((message) => JSON.parse(message.body).dispatchIds.length)).toEqual([10, 2])
    for (const id of ids) await world.end(id)
    expect(await view(world, body.bulkId)).toMatchObject({ state: 'done', total: 12, done: 12, failed: 0 })
    for (const id of ids) expect((await world.store.readDispatch(id))?.status).toBe('cancelled')
    await world.clock.busy(() => world.functions.sweep({}))
    expect(await world.bulks.read(body.bulkId)).toMatchObject({ ended: { done: 12 } })
  })

  test('needs the count of a dry run, and is told every problem of its selector', async () => {
    const world = await aWorld()
    const { statusCode, body } = await world.cancelMany({ where: 'tag:x older:soon', mode: 'gently' })
    expect(statusCode).toBe(400)
    expect(body.details).toMatchObject([
      { path: 'mode' },
      { path: 'where', message: 'tag: x is not key=value' },
      { path: 'where', message: 'older: soon is no time such as 90s, 15m, 2h or 1d' },
    ])
    expect((await world.cancelMany({ where: 'all:true' })).body.details).toEqual([
      { path: 'expectedCount', message: 'must be the count of a dry run' },
    ])
    expect((await world.cancelMany({ where: {}, dryRun: true })).statusCode).toBe(400)
    expect((await world.cancelMany({ dryRun: true })).statusCode).toBe(400)
  })

  test('that is sent again under its key is the same', async () => {
    const world = await aWorld()
    const tag = aTag()
    const id = await aRunningDispatch(world, graphOf(tag))
    const request = { where: { tags: { tag } }, expectedCount: 1 }
    const headers = { 'idempotency-key': tag }
    const first = await world.cancelMany(request, headers)
    expect((await world.cancelMany(request, headers)).body).toMatchObject({ bulkId: first.body.bulkId, count: 1 })
    expect(world.queue.sent).toHaveLength(1)
    await world.end(id)
    expect(await world.store.listCancellations(id)).toHaveLength(1)
  })

  test('whose messages the queue did not all take is finished by the next sweep', async () => {
    const world = await aWorld()
    const tag = aTag()
    const ids: string[] = []
    for (let n = 0; n < 11; n++) ids.push(await aRunningDispatch(world, graphOf(tag)))
    world.queue.refuseNext(1)
    expect((await world.cancelMany({ where: `tag:tag=${tag}`, expectedCount: 11 })).statusCode).toBe(503)
    let swept: unknown
    world.clock.schedule(120, async () => {
      swept = await world.functions.sweep({})
    })
    for (const id of ids) await world.end(id)
    expect(swept).toMatchObject({ bulkResumed: 1 })
    for (const id of ids) expect(await world.store.listCancellations(id)).toHaveLength(1)
  })

  test('a dispatch that cannot be cancelled now comes again with its message', async () => {
    const world = await aWorld()
    const tag = aTag()
    const id = await aRunningDispatch(world, graphOf(tag))
    const { body } = await world.cancelMany({ where: `tag:tag=${tag}`, expectedCount: 1 })
    // The fence.
    world.failNext('Update')
    await world.clock.runUntil(async () => (await view(world, body.bulkId)).state === 'done')
    await world.end(id)
    expect(world.queue.sent[0]?.received).toBe(2)
    expect(world.queue.deadLetters).toEqual([])
    expect(await world.store.listCancellations(id)).toHaveLength(1)
  })

  test('a message with a dispatch that was not confirmed changes nothing', async () => {
    const world = await aWorld()
    const tag = aTag()
    const [meant, other] = [await aRunningDispatch(world, graphOf(tag)), await aRunningDispatch(world)]
    const { bulkId } = (await world.cancelMany({ where: `tag:tag=${tag}`, expectedCount: 1 })).body
    const body = JSON.stringify({ bulkId, dispatchIds: [other] })
    const forged = { Records: [{ messageId: 'm', body, eventSource: 'aws:sqs' }] }
    const answer = await world.clock.busy(() => world.functions.cancel(forged))
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm' }] })
    expect(await world.store.listCancellations(other)).toEqual([])
    await world.cancel(other)
    await world.end(meant)
  })

  test('a message that says nothing ends among the dead letters and changes nothing', async () => {
    const world = await aWorld()
    const consume = (body: string) =>
      world.clock.busy(() => world.functions.cancel({ Records: [{ messageId: 'm', body, eventSource: 'aws:sqs' }] }))
    const again = { batchItemFailures: [{ itemIdentifier: 'm' }] }
    const unknown = JSON.stringify({ bulkId: '00000000-0000-4000-8000-000000000000', dispatchIds: ['x'] })
    for (const body of ['', '{"bulkId":', '{"bulkId":"x"}', unknown]) expect(await consume(body)).toEqual(again)
  })
})
