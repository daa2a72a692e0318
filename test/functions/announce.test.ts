import { describe, expect, test } from 'vitest'
import { ada } from '../aws/events.ts'
import type { Told } from '../aws/pretend-bus.ts'
import { aCancellation, aFence } from '../support/builders.ts'
import { useWorlds, type World } from './a-world.ts'

const aWorld = useWorlds()

const aTask = (name: string, needs: readonly string[] = [], rest: object = {}) => ({
  name,
  needs,
  executor: 'batch',
  options: { command: ['true'] },
  ...rest,
})
const chain = { name: 'chain', tags: { project: 'h2' }, tasks: [aTask('a'), aTask('b', ['a'])] }
const isRunning = (world: World, ref: string) => () =>
  world.batch.jobs.some((job) => job.ref === ref && job.status === 'RUNNING')

/** An event as `task a running`. */
function brief({ 'detail-type': type, detail }: Told): string {
  if (type === 'Quench Task State Change') return `task ${detail.name} ${detail.state}`
  return `${type.split(' ')[1]?.toLowerCase()} ${detail.state}`
}

async function ended(world: World, id: string): Promise<readonly string[]> {
  await world.end(id)
  await world.announceAll()
  expect(world.bus.told.every(({ source, detail }) => source === 'quench' && detail.dispatchId === id)).toBe(true)
  const ids = world.bus.told.map(({ detail }) => detail.eventId)
  expect(new Set(ids).size).toBe(ids.length)
  return world.bus.told.map(brief)
}

const found = (world: World, what: string) => world.bus.told.filter((told) => brief(told) === what)

describe('what a dispatch tells the bus', () => {
  test('from its beginning to its end, when it succeeds', async () => {
    const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { seconds: 2 }, '1-1': { seconds: 1 } } })
    const id = await world.submit(chain)
    const run = (name: string) =>
      ['submitting', 'queued', 'running', 'succeeded'].map((state) => `task ${name} ${state}`)
    expect(await ended(world, id)).toEqual(['dispatch running', ...run('a'), ...run('b'), 'dispatch succeeded'])

    expect(world.bus.told[0]?.detail).toMatchObject({
      dispatchName: 'chain',
      owner: ada,
      tags: { project: 'h2' },
      depth: 0,
      taskCount: 2,
    })
    expect(found(world, 'task a succeeded')[0]?.detail).toMatchObject({
      taskId: 0,
      executor: 'batch',
      attempt: 1,
      exitCode: 0,
      owner: ada,
      startedAt: '2023-11-14T22:13:21.000Z',
      endedAt: '2023-11-14T22:13:23.000Z',
    })
    expect(found(world, 'dispatch succeeded')[0]).toMatchObject({
      time: '2023-11-14T22:13:25.000Z',
      detail: { tasks: { succeeded: 2, failed: 0, cancelled: 0, skipped: 0 } },
    })
  })

  test('a failed attempt that is repeated, then the failure, and what is skipped for it', async () => {
    const fates = { '0-1': { seconds: 1, isHostLost: true }, '0-2': { seconds: 1, exitCode: 3 } }
    const world = await aWorld({ isAnnouncing: true, fates })
    const told = await ended(world, await world.submit(chain))
    expect(told).toEqual([
      'dispatch running',
      ...['submitting', 'queued', 'running', 'pending'].map((state) => `task a ${state}`),
      ...['submitting', 'queued', 'running', 'failed'].map((state) => `task a ${state}`),
      'task b skipped',
      'dispatch failed',
    ])
    expect(found(world, 'task a pending')[0]?.detail).toMatchObject({
      attempt: 1,
      failure: { message: expect.stringContaining('Host EC2') },
      retryAt: expect.any(String),
    })
    expect(found(world, 'task a failed')[0]?.detail).toMatchObject({
      attempt: 2,
      exitCode: 3,
      failure: { code: 'NonZeroExit', message: 'Essential container in task exited; exit code 3', source: 'batch' },
    })
    expect(found(world, 'task b skipped')[0]?.detail).toMatchObject({ attempt: 0 })
  })

  test('a cancel of some tasks, who asked for it, and what its back end confirmed', async () => {
    const world = await aWorld({ isAnnouncing: true, fates: { '2-1': { seconds: 30 } } })
    const id = await world.submit({ ...chain, tasks: [...chain.tasks, aTask('c')] })
    await world.clock.runUntil(isRunning(world, '0-1'))
    await world.clock.runUntil(isRunning(world, '2-1'))
    await world.cancel(id, { taskIds: [0], reason: 'wrong input' })
    const told = await ended(world, id)
    expect(told.slice(told.indexOf('cancellation stopping'))).toEqual([
      'cancellation stopping',
      'task b cancelled',
      'task a cancelled',
      'cancellation confirmed',
      'task c succeeded',
      'dispatch cancelled',
    ])
    expect(found(world, 'cancellation stopping')[0]?.detail).toMatchObject({
      scope: 'tasks',
      taskIds: [0],
      source: 'api',
      actor: ada,
      reason: 'wrong input',
      open: 2,
    })
    expect(found(world, 'cancellation confirmed')[0]?.detail).toMatchObject({
      open: 0,
      abandoned: 1,
      ended: { batch: { cancelled: 1, succeeded: 0, failed: 0 } },
    })
  })

  test('a cancel of everything: cancelling, and cancelled only when it is confirmed', async () => {
    const world = await aWorld({ isAnnouncing: true })
    const id = await world.submit(chain)
    await world.clock.runUntil(isRunning(world, '0-1'))
    await world.cancel(id)
    const told = await ended(world, id)
    expect(told.slice(4)).toEqual([
      'cancellation stopping',
      'dispatch cancelling',
      'task b cancelled',
      'task a cancelled',
      'cancellation confirmed',
      'dispatch cancelled',
    ])
  })

  test('a job that does not stop makes its cancellation unconfirmed, once', async () => {
    const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { stopSeconds: 60 } } })
    const id = await world.submit(chain)
    await world.clock.runUntil(isRunning(world, '0-1'))
    // Asked to stop almost 15 minutes ago.
    const at = world.clock.now() - 890_000
    await world.store.putCancellation(aCancellation({ id: 'late', dispatchId: id, at }))
    await world.store.writeFence(id, aFence({ id: 'late', at }), { epoch: 1, isDrain: false })
    await world.clock.runUntil(() => found(world, 'cancellation unconfirmed').length > 0)
    expect(found(world, 'cancellation unconfirmed')[0]?.detail).toMatchObject({ open: 1, abandoned: 1 })
    const told = await ended(world, id)
    const cancellations = told.filter((one) => one.startsWith('cancellation'))
    expect(cancellations).toEqual(['cancellation stopping', 'cancellation unconfirmed', 'cancellation confirmed'])
  })
})

test('a redrive tells what it reopens, and the ends that come of it under new ids', async () => {
  const world = await aWorld({ isAnnouncing: true, fates: { '0-2': { seconds: 1 }, '1-1': { seconds: 1 } } })
  const id = await world.submit(chain)
  await world.clock.runUntil(isRunning(world, '0-1'))
  await world.cancel(id)
  const before = await ended(world, id)
  expect(before.slice(-3).sort()).toEqual(['cancellation confirmed', 'dispatch cancelled', 'task a cancelled'])
  const { statusCode } = await world.request('POST', `/dispatches/${id}/redrive`, {}, world.functions.cancel)
  expect(statusCode).toBe(202)
  const run = (name: string) => ['submitting', 'queued', 'running', 'succeeded'].map((state) => `task ${name} ${state}`)
  expect((await ended(world, id)).slice(before.length)).toEqual([
    'task a pending',
    'task b pending',
    'dispatch running',
    ...run('a'),
    ...run('b'),
    'dispatch succeeded',
  ])
  expect(found(world, 'task a succeeded')[0]?.detail).toMatchObject({ attempt: 2 })
  expect(found(world, 'task b succeeded')[0]?.detail).toMatchObject({ attempt: 1 })
})

test('a task that is given up after a redrive, before its next attempt, tells nothing of the last', async () => {
  const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { seconds: 1, exitCode: 3 } } })
  const id = await world.submit({ name: 'alone', tasks: [aTask('a')] })
  await ended(world, id)
  expect(found(world, 'task a failed')[0]?.detail).toMatchObject({ attempt: 1, exitCode: 3 })
  const { statusCode } = await world.request('POST', `/dispatches/${id}/redrive`, {}, world.functions.cancel)
  expect(statusCode).toBe(202)
  await world.cancel(id)
  await ended(world, id)
  const [told] = found(world, 'task a cancelled')
  expect(told?.detail).toMatchObject({ attempt: 0 })
  expect(told?.detail).not.toHaveProperty('exitCode')
})

test('a job that runs on through a redrive of others tells its own end', async () => {
  const fates = { '0-1': { seconds: 1, exitCode: 3 }, '0-2': { seconds: 1 }, '1-1': { seconds: 60 } }
  const world = await aWorld({ isAnnouncing: true, fates })
  const id = await world.submit({ name: 'apart', tasks: [aTask('a'), aTask('b')] })
  await world.clock.runUntil(async () => (await world.store.readLive(id)).length === 1 && isRunning(world, '1-1')())
  const { statusCode } = await world.request('POST', `/dispatches/${id}/redrive`, {}, world.functions.cancel)
  expect(statusCode).toBe(202)
  await ended(world, id)
  expect(found(world, 'task a pending')).toHaveLength(1)
  expect(found(world, 'task b succeeded')[0]?.detail).toMatchObject({ attempt: 1, exitCode: 0 })
})

test('a dispatch inside another tells where it is, and its task which dispatch that is', async () => {
  const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { seconds: 1 } } })
  const child = { name: 'child', tags: { part: 'inner' }, tasks: [aTask('x')] }
  const graph = { name: 'parent', tasks: [{ name: 'inner', executor: 'sublattice', options: { graph: child } }] }
  const id = await world.submit({ ...graph, tags: { project: 'h2' } })
  await world.end(id)
  await world.announceAll()
  const childId = found(world, 'task inner succeeded')[0]?.detail.childId
  const ends = found(world, 'dispatch succeeded').map(({ detail }) => detail)
  expect(ends).toMatchObject([
    { dispatchId: childId, dispatchName: 'child', depth: 1, owner: ada, parent: { dispatchId: id, taskId: 0 } },
    { dispatchId: id, dispatchName: 'parent', depth: 0 },
  ])
  expect(found(world, 'task x running')[0]?.detail).toMatchObject({
    dispatchId: childId,
    depth: 1,
    tags: { project: 'h2', part: 'inner' },
  })
})

describe('the function', () => {
  test('gives the same events the same ids when a batch comes again', async () => {
    const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { seconds: 1 }, '1-1': { seconds: 1 } } })
    await ended(world, await world.submit(chain))
    const first = [...world.bus.told]
    await world.functions.announce({ Records: world.records })
    expect(world.bus.told.slice(first.length)).toEqual(first)
  })

  test('puts entries again that were refused, and only those', async () => {
    const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { seconds: 1 }, '1-1': { seconds: 1 } } })
    await ended(world, await world.submit(chain))
    const first = world.bus.told.map(({ detail }) => detail.eventId)
    world.bus.told.length = 0
    world.bus.calls.length = 0
    world.bus.refuse(3)
    expect(await world.functions.announce({ Records: world.records })).toEqual({ batchItemFailures: [] })
    expect(world.bus.calls).toEqual([10, 3])
    expect(world.bus.told.map(({ detail }) => detail.eventId).sort()).toEqual(first.sort())
  })

  test('reads a dispatch once for all its writes in a batch', async () => {
    const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { seconds: 1 }, '1-1': { seconds: 1 } } })
    await ended(world, await world.submit(chain))
    world.calls.length = 0
    await world.functions.announce({ Records: world.records })
    expect(world.calls.filter(({ name }) => name === 'Get')).toHaveLength(1)
  })

  test('asks for the writes again whose events are refused for good', async () => {
    const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { seconds: 1 }, '1-1': { seconds: 1 } } })
    await ended(world, await world.submit(chain))
    const [{ dynamodb }] = world.records as [{ dynamodb: { SequenceNumber: string } }]
    world.bus.refuse(4)
    const answer = await world.functions.announce({ Records: [world.records[0]] })
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: dynamodb.SequenceNumber }] })
  })

  test('tells what came before a write that it cannot read, and asks for the rest again', async () => {
    const world = await aWorld({ isAnnouncing: true, fates: { '0-1': { seconds: 1 }, '1-1': { seconds: 1 } } })
    await ended(world, await world.submit(chain))
    world.bus.told.length = 0
    const broken = structuredClone(world.records[1]) as { dynamodb: { NewImage: object; SequenceNumber: string } }
    broken.dynamodb.NewImage = { pk: { S: 'DISPATCH#x' }, sk: { S: 'META' } }
    const answer = await world.functions.announce({ Records: [world.records[0], broken, world.records[2]] })
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: broken.dynamodb.SequenceNumber }] })
    expect(world.bus.told.map(brief)).toEqual(['dispatch running'])
  })

  test('says nothing about an item that is deleted', async () => {
    const world = await aWorld()
    const dynamodb = {
      SequenceNumber: '1',
      ApproximateCreationDateTime: '1678831218.0',
      OldImage: { sk: { S: 'META' } },
    }
    expect(await world.functions.announce({ Records: [{ dynamodb }] })).toEqual({ batchItemFailures: [] })
    expect(world.bus.calls).toEqual([])
  })
})
