import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cancelOneOfBulk } from '../../../lib/app/bulk/cancel-one-of-bulk.ts'
import { describeBulk } from '../../../lib/app/bulk/describe-bulk.ts'
import { findMatching } from '../../../lib/app/bulk/find-matching.ts'
import { giveUpBulk, resumeBulk } from '../../../lib/app/bulk/resume-bulk.ts'
import { startBulk } from '../../../lib/app/bulk/start-bulk.ts'
import { startBulks } from '../../../lib/app/bulk/start-bulks.ts'
import { cancelDispatch } from '../../../lib/app/cancel/cancel-dispatch.ts'
import { redriveDispatch } from '../../../lib/app/redrive/redrive-dispatch.ts'
import { submitDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { BulkCancellation } from '../../../lib/domain/bulk/bulk.ts'
import type { Selector } from '../../../lib/domain/bulk/selector.ts'
import { Conflict, Forbidden, NotFound } from '../../../lib/domain/errors.ts'
import { settle } from '../../../lib/domain/settled.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aDispatch, aGraph, someTime } from '../../support/builders.ts'

let dynamo: LocalDynamo
let made = 0

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const ada = { id: 'ada', isAdmin: false }
const grace = { id: 'grace', isAdmin: false }
const admin = { id: 'root', isAdmin: true }

/** A tag of its own for each test: all of them share the table. */
function aWorld() {
  const tag = `t${made++}`
  const handed: string[][] = []
  const { context, store, asked } = anAppContext(dynamo)
  const world = {
    ...context,
    bulkRunner: {
      enqueue: async (_bulkId: string, ids: readonly string[]) => {
        handed.push([...ids])
      },
    },
  }
  const graph = (executor = 'batch', tags = {}) => ({
    name: 'some',
    tags: { tag, ...tags },
    tasks: [{ name: 'only', executor }],
  })
  const submit = async (caller = ada, executor = 'batch', tags = {}) =>
    (await submitDispatch(world, caller, graph(executor, tags))).dispatchId
  const order = (changes: object = {}) => ({
    where: { tags: { tag } } as Selector,
    mode: 'graceful' as const,
    graceSeconds: 30,
    reason: 'enough',
    dryRun: false,
    ...changes,
  })
  const cancel = (caller = ada, changes: object = {}, idempotencyKey?: string) =>
    startBulk(world, caller, order(changes), { source: 'api', idempotencyKey })
  const page = { limit: 100 }
  return { world, store, asked, handed, tag, submit, cancel, order, page }
}

type World = ReturnType<typeof aWorld>

const settledAs = (outcome: 'failed' | 'cancelled') =>
  settle({ settled: new Uint8Array(1) }, new Map([[0, outcome]]), 1)

/** It ends, and is then redriven a second later than anything else here. */
async function endAndRedrive({ world, store }: World, id: string): Promise<void> {
  const { version = 0 } = (await store.readDispatch(id)) ?? {}
  await store.commitTurn(id, version, { ...settledAs('cancelled'), status: 'cancelled', endedAt: someTime })
  await redriveDispatch({ ...world, now: () => someTime + 1000 }, ada, id, { dryRun: false, force: false })
}

const bulkOf = async ({ world }: World, bulkId: string | undefined): Promise<BulkCancellation> => {
  const bulk = await world.bulks.read(bulkId ?? '')
  if (!bulk) throw new Error('there is no record')
  return bulk
}

describe('a dry run', () => {
  test('lists and counts what matches, and writes nothing', async () => {
    const world = aWorld()
    const [first, second] = [await world.submit(), await world.submit()]
    const answer = await world.cancel(ada, { dryRun: true })
    expect(answer).toMatchObject({ dryRun: true, where: `tag:tag=${world.tag} owner:ada`, count: 2 })
    expect(answer.bulkId).toBeUndefined()
    expect(answer.dispatches.map(({ dispatchId }) => dispatchId).sort()).toEqual([first, second].sort())
    expect(world.handed).toEqual([])
  })
})

describe('whose dispatches', () => {
  test('are meant: for people their own, for admins everybody’s or whose they say', async () => {
    const world = aWorld()
    await world.submit(ada)
    await world.submit(grace)
    const count = async (caller: typeof ada, where: object = {}) =>
      (await world.cancel(caller, { dryRun: true, where: { tags: { tag: world.tag }, ...where } })).count
    expect(await count(ada)).toBe(1)
    expect(await count(ada, { owner: 'me' })).toBe(1)
    expect(await count(admin)).toBe(2)
    expect(await count(admin, { owner: 'me' })).toBe(0)
    expect(await count(admin, { owner: 'grace' })).toBe(1)
    await expect(count(ada, { owner: 'grace' })).rejects.toThrow(Forbidden)
  })

  test('all:true of someone who is no admin means all of their own', async () => {
    const world = aWorld()
    const loner = { id: `loner-${world.tag}`, isAdmin: false }
    await world.submit(loner)
    expect(await world.cancel(loner, { dryRun: true, where: { all: true } })).toMatchObject({
      where: `owner:${loner.id}`,
      count: 1,
    })
  })
})

describe('what matches', () => {
  test('by back end: also what a dispatch uses only inside, and dispatches older than the field', async () => {
    const world = aWorld()
    const { store } = world
    const nested = {
      name: 'outer',
      tags: { tag: world.tag },
      tasks: [{ name: 'in', executor: 'batch' }],
    }
    const parent = (await submitDispatch(world.world, ada, nested)).dispatchId
    const child = aDispatch({
      id: parent.replace(/^.{8}/, '00000000'),
      owner: 'ada',
      tags: { tag: world.tag },
      executors: ['ssh'],
      parent: { dispatchId: parent, taskId: 0, attempt: 1, depth: 1 },
    })
    await store.createDispatch(child, aGraph([{ executor: 'ssh' }]))
    const old = aDispatch({ id: parent.replace(/^.{8}/, '11111111'), owner: 'ada', tags: { tag: world.tag } })
    await store.createDispatch(old, aGraph([{ executor: 'ssh' }]))
    await world.submit(ada, 'batch')
    const found = await findMatching(world.world, { tags: { tag: world.tag }, backend: 'ssh' })
    expect(found.map(({ id }) => id).sort()).toEqual([parent, old.id].sort())
  })

  test('is nothing that is being cancelled, unless that is what is asked for', async () => {
    const world = aWorld()
    const [first, second] = [await world.submit(), await world.submit()]
    const { where: _, ...order } = world.order()
    await cancelDispatch(world.world, ada, first, order, { source: 'api' })
    const idsOf = async (status?: 'running' | 'cancelling') =>
      (await findMatching(world.world, { tags: { tag: world.tag }, ...(status && { status }) })).map(({ id }) => id)
    expect(await idsOf()).toEqual([second])
    expect(await idsOf('cancelling')).toEqual([first])
  })

  test('is nothing that came after the event', async () => {
    const world = aWorld()
    await world.submit()
    const where = { tags: { tag: world.tag } }
    expect(await findMatching(world.world, where, { createdUntil: someTime - 1 })).toEqual([])
    expect(await findMatching(world.world, where, { createdUntil: someTime })).toHaveLength(1)
  })

  test('is nothing that had ended, and was redriven after the event', async () => {
    const world = aWorld()
    await endAndRedrive(world, await world.submit())
    const where = { tags: { tag: world.tag } }
    expect(await findMatching(world.world, where, { createdUntil: someTime + 999 })).toEqual([])
    expect(await findMatching(world.world, where, { createdUntil: someTime + 1000 })).toHaveLength(1)
  })

  test('is also what ran all the time, and of which a part was redriven after the event', async () => {
    const world = aWorld()
    const id = await world.submit()
    await world.store.commitTurn(id, 1, settledAs('failed'))
    await redriveDispatch({ ...world.world, now: () => someTime + 1000 }, ada, id, { dryRun: false, force: false })
    expect(await findMatching(world.world, { tags: { tag: world.tag } }, { createdUntil: someTime })).toHaveLength(1)
  })
})

describe('a bulk cancellation', () => {
  test('keeps what was found when it was confirmed, and hands it over', async () => {
    const world = aWorld()
    const ids = [await world.submit(), await world.submit()].sort()
    const { bulkId, count } = await world.cancel(ada, { expectedCount: 2 })
    await world.submit()
    expect(count).toBe(2)
    expect(world.handed).toEqual([ids])
    expect(await bulkOf(world, bulkId)).toMatchObject({ dispatchIds: ids, actor: 'ada', handedOverAt: someTime })
  })

  test('of more than were confirmed is refused with the new count, and cancels nothing', async () => {
    const world = aWorld()
    await world.submit()
    await world.submit()
    const error = await world.cancel(ada, { expectedCount: 1 }).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(Conflict)
    expect(error.message).toBe('2 dispatches match now, and 1 were confirmed: nothing was cancelled')
    expect(error.details).toEqual([{ path: 'expectedCount', message: '2 dispatches match now' }])
    expect(world.handed).toEqual([])
  })

  test('of fewer than were confirmed goes on', async () => {
    const world = aWorld()
    await world.submit()
    expect(await world.cancel(ada, { expectedCount: 5 })).toMatchObject({ count: 1 })
  })

  test('asked for twice under one key is one, of what was found the first time', async () => {
    const world = aWorld()
    await world.submit()
    const first = await world.cancel(ada, { expectedCount: 1 }, `key-${world.tag}`)
    await world.submit()
    const second = await world.cancel(ada, { expectedCount: 1 }, `key-${world.tag}`)
    expect(second).toMatchObject({ bulkId: first.bulkId, count: 1 })
    expect(world.handed).toHaveLength(1)
    const other = { where: { tags: { tag: 'another' } } }
    await expect(world.cancel(ada, other, `key-${world.tag}`)).rejects.toThrow(Conflict)
  })

  test('of nothing is over at once, and stays so when it is asked for again', async () => {
    const world = aWorld()
    const { bulkId } = await world.cancel(ada, {}, `key-${world.tag}`)
    await world.submit()
    expect(await world.cancel(ada, {}, `key-${world.tag}`)).toMatchObject({ bulkId, count: 0 })
    expect(world.handed).toEqual([])
    expect(await world.world.bulks.listOpen()).not.toContain(bulkId)
  })

  test('is shown to who asked for it and to admins, and to nobody else', async () => {
    const world = aWorld()
    await world.submit()
    const { bulkId = '' } = await world.cancel()
    expect(await describeBulk(world.world, ada, bulkId, world.page)).toMatchObject({ state: 'working', total: 1 })
    expect(await describeBulk(world.world, admin, bulkId, world.page)).toMatchObject({ bulkId })
    await expect(describeBulk(world.world, grace, bulkId, world.page)).rejects.toThrow(NotFound)
  })
})

describe('one dispatch of it', () => {
  test('is cancelled once, with the reason and the source of the whole, and keeps what was found', async () => {
    const world = aWorld()
    const id = await world.submit()
    const { bulkId = '' } = await world.cancel()
    const bulk = await bulkOf(world, bulkId)
    await cancelOneOfBulk(world.world, bulk, id)
    await cancelOneOfBulk(world.world, bulk, id)
    const [cancellation, ...others] = await world.store.listCancellations(id)
    expect(others).toEqual([])
    expect(cancellation).toMatchObject({ actor: 'ada', source: 'api', reason: 'enough' })
    expect(await describeBulk(world.world, ada, bulkId, world.page)).toMatchObject({
      state: 'done',
      done: 1,
      failed: 0,
      items: [
        {
          dispatchId: id,
          outcome: 'done',
          cancellationId: cancellation?.id,
          counts: { stopping: 0, abandoned: 1, finished: 0 },
          state: 'cancelling',
          confirmation: 'stopping',
        },
      ],
    })
  })

  test('that has ended meanwhile is done, and says so', async () => {
    const world = aWorld()
    const id = await world.submit()
    const { bulkId } = await world.cancel()
    await world.store.commitTurn(id, 1, { status: 'succeeded', endedAt: someTime })
    await cancelOneOfBulk(world.world, await bulkOf(world, bulkId), id)
    const { items } = await describeBulk(world.world, ada, bulkId ?? '', world.page)
    expect(items).toMatchObject([{ outcome: 'done', state: 'succeeded', confirmation: 'confirmed' }])
    expect(await world.store.listCancellations(id)).toEqual([])
  })

  test('that has ended and was redriven since is not what was meant, and runs on', async () => {
    const world = aWorld()
    const id = await world.submit()
    const { bulkId } = await world.cancel()
    await endAndRedrive(world, id)
    await cancelOneOfBulk(world.world, await bulkOf(world, bulkId), id)
    const { items } = await describeBulk(world.world, ada, bulkId ?? '', world.page)
    expect(items).toMatchObject([{ outcome: 'done', state: 'running', confirmation: 'confirmed' }])
    expect(await world.store.listCancellations(id)).toEqual([])
  })

  test('that was cancelled and redriven since is confirmed: nobody waits for the new drive', async () => {
    const world = aWorld()
    const id = await world.submit()
    const { bulkId } = await world.cancel()
    await cancelOneOfBulk(world.world, await bulkOf(world, bulkId), id)
    await endAndRedrive(world, id)
    const { items } = await describeBulk(world.world, ada, bulkId ?? '', world.page)
    expect(items).toMatchObject([{ outcome: 'done', state: 'running', confirmation: 'confirmed' }])
  })

  test('that can never be cancelled is a failure, and the others go on', async () => {
    const world = aWorld()
    const [own, foreign] = [await world.submit(), await world.submit(grace)]
    const { bulkId } = await world.cancel()
    const bulk = { ...(await bulkOf(world, bulkId)), dispatchIds: [own, foreign] }
    for (const id of bulk.dispatchIds) await cancelOneOfBulk(world.world, bulk, id)
    expect(await world.world.bulks.readOutcomes(bulk.id, [foreign])).toMatchObject([
      { result: 'failed', code: 'NotFound' },
    ])
    expect(await world.store.listCancellations(own)).toHaveLength(1)
    expect(await world.store.listCancellations(foreign)).toEqual([])
  })

  test('is unconfirmed when its jobs should have ended by now', async () => {
    const world = aWorld()
    const id = await world.submit()
    const { bulkId = '' } = await world.cancel()
    await cancelOneOfBulk(world.world, await bulkOf(world, bulkId), id)
    const later = { ...world.world, now: () => someTime + 900_000 }
    const { items } = await describeBulk(later, ada, bulkId, world.page)
    expect(items).toMatchObject([{ confirmation: 'unconfirmed' }])
  })
})

test('every match is found once, however many reads they take', async () => {
  const world = aWorld()
  const ids = await Promise.all(Array.from({ length: 230 }, () => world.submit()))
  const found = await findMatching(world.world, { tags: { tag: world.tag } })
  expect(found.map(({ id }) => id).sort()).toEqual(ids.sort())
})

describe('what an event means', () => {
  /** Two dispatches a bulk cancellation, and an event of this very second. */
  const tell = ({ tag }: World, context: World['world'], changes: object = {}) => {
    const meaning = { where: { tags: { tag } }, reason: 'over', actor: 'alarm spend', source: 'alarm' as const }
    return startBulks(context, { ...meaning, idempotencyKey: `event-${tag}`, createdUntil: someTime, ...changes }, 2)
  }
  const submitMany = async (world: World, count: number) => {
    const ids: string[] = []
    for (let n = 0; n < count; n++) ids.push(await world.submit())
    return ids.sort()
  }
  const idsOf = (bulks: readonly BulkCancellation[]) => bulks.flatMap(({ dispatchIds }) => dispatchIds).sort()

  test('is cancelled however much it is, and a repeat finds all of it there', async () => {
    const world = aWorld()
    const ids = await submitMany(world, 5)
    const bulks = await tell(world, world.world)
    expect(bulks.map(({ dispatchIds, hasMore }) => [dispatchIds.length, hasMore])).toEqual([
      [2, true],
      [2, true],
      [1, undefined],
    ])
    expect(idsOf(bulks)).toEqual(ids)
    expect(world.handed.flat().sort()).toEqual(ids)
    await world.submit()
    expect((await tell(world, world.world)).map(({ id }) => id)).toEqual(bulks.map(({ id }) => id))
    expect(world.handed.flat()).toHaveLength(5)
  })

  test('fits the last of them', async () => {
    const world = aWorld()
    await submitMany(world, 4)
    expect((await tell(world, world.world)).map(({ dispatchIds }) => dispatchIds.length)).toEqual([2, 2])
  })

  test('may be nothing', async () => {
    const world = aWorld()
    expect(await tell(world, world.world)).toMatchObject([{ dispatchIds: [], ended: { done: 0, failed: 0 } }])
    expect(world.handed).toEqual([])
  })

  test.each([0, 1, 2])('is gone on with by a repeat where the first died after %i records', async (records) => {
    const world = aWorld()
    const ids = await submitMany(world, 5)
    let puts = 0
    const put: World['world']['bulks']['put'] = (bulk) =>
      puts++ < records ? world.world.bulks.put(bulk) : Promise.reject(new Error('the process has died'))
    const dying = { ...world.world, bulks: { ...world.world.bulks, put } }
    await expect(tell(world, dying)).rejects.toThrow('died')
    expect(world.handed).toEqual([])
    const later = { ...world.world, now: () => someTime + 1000 }
    const { dispatchId } = await submitDispatch(later, ada, {
      name: 'later',
      tags: { tag: world.tag },
      tasks: [{ name: 'only', executor: 'batch' }],
    })
    const bulks = await tell(world, world.world)
    expect(idsOf(bulks)).toEqual(ids)
    expect(idsOf(bulks)).not.toContain(dispatchId)
    expect(world.handed.flat().sort()).toEqual(ids)
  })

  test('is cancelled once where the same event comes twice at the same time', async () => {
    const world = aWorld()
    const ids = await submitMany(world, 5)
    const [first, second] = await Promise.all([tell(world, world.world), tell(world, world.world)])
    expect(idsOf(first)).toEqual(ids)
    expect(idsOf(second)).toEqual(ids)
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id))
  })
})

describe('whoever dies', () => {
  const failing = () => Promise.reject(new Error('the process has died'))

  test('after the record: asked again under the same key, all of it is handed over', async () => {
    const world = aWorld()
    const id = await world.submit()
    const dying = { ...world.world, bulkRunner: { enqueue: failing } }
    const origin = { source: 'api', idempotencyKey: `key-${world.tag}` } as const
    await expect(startBulk(dying, ada, world.order({ expectedCount: 1 }), origin)).rejects.toThrow('died')
    await world.submit()
    await world.cancel(ada, { expectedCount: 1 }, `key-${world.tag}`)
    expect(world.handed).toEqual([[id]])
  })

  test('half-way through the hand-over: what has no outcome is handed over again', async () => {
    const world = aWorld()
    const [first = '', second = ''] = [await world.submit(), await world.submit()].sort()
    const dieAfterTheFirst = async (bulkId: string) => {
      await cancelOneOfBulk(world.world, await bulkOf(world, bulkId), first)
      return failing()
    }
    const dying = { ...world.world, bulkRunner: { enqueue: dieAfterTheFirst } }
    await expect(startBulk(dying, ada, world.order(), { source: 'api' })).rejects.toThrow('died')
    const open = await Promise.all((await world.world.bulks.listOpen()).map((id) => bulkOf(world, id)))
    const bulk = open.find(({ dispatchIds }) => dispatchIds.includes(second))
    expect(await resumeBulk(world.world, bulk as BulkCancellation)).toBe(1)
    expect(world.handed).toEqual([[second]])
  })

  test('after a cancel and before its outcome: the next finds that cancellation, and makes no other', async () => {
    const world = aWorld()
    const id = await world.submit()
    const { bulkId } = await world.cancel()
    const bulk = await bulkOf(world, bulkId)
    const dying = { ...world.world, bulks: { ...world.world.bulks, putOutcome: failing } }
    await expect(cancelOneOfBulk(dying, bulk, id)).rejects.toThrow('died')
    await world.store.commitTurn(id, 2, { status: 'cancelled', endedAt: someTime })
    await cancelOneOfBulk(world.world, bulk, id)
    const [cancellation, ...others] = await world.store.listCancellations(id)
    expect(others).toEqual([])
    expect(await world.world.bulks.readOutcomes(bulk.id)).toMatchObject([
      { result: 'done', cancellationId: cancellation?.id },
    ])
  })

  test('before the end was noted: it is noted once every dispatch has its outcome', async () => {
    const world = aWorld()
    const id = await world.submit()
    const { bulkId } = await world.cancel()
    const bulk = await bulkOf(world, bulkId)
    await cancelOneOfBulk(world.world, bulk, id)
    expect(await resumeBulk(world.world, bulk)).toBe(0)
    expect(await bulkOf(world, bulkId)).toMatchObject({ ended: { done: 1, failed: 0 } })
    expect(world.handed).toHaveLength(1)
  })

  test('for good: what nobody could cancel is given up, where people see it', async () => {
    const world = aWorld()
    const id = await world.submit()
    const { bulkId = '' } = await world.cancel()
    expect(await giveUpBulk(world.world, await bulkOf(world, bulkId))).toBe(1)
    expect(await describeBulk(world.world, ada, bulkId, world.page)).toMatchObject({
      state: 'done',
      failed: 1,
      items: [
        { dispatchId: id, outcome: 'failed', error: { code: 'GivenUp' }, state: 'running', confirmation: 'none' },
      ],
    })
  })
})

test('the dispatches of a large one come in pages, in id order', async () => {
  const world = aWorld()
  const ids = [await world.submit(), await world.submit(), await world.submit()].sort()
  const { bulkId = '' } = await world.cancel()
  const first = await describeBulk(world.world, ada, bulkId, { limit: 2 })
  const second = await describeBulk(world.world, ada, bulkId, { limit: 2, cursor: first.cursor ?? '' })
  expect([...first.items, ...second.items].map(({ dispatchId }) => dispatchId)).toEqual(ids)
  expect(second.cursor).toBeUndefined()
  await expect(describeBulk(world.world, ada, bulkId, { limit: 2, cursor: 'x' })).rejects.toThrow('cursor')
})
