import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nothingSettled, settle } from '../../../lib/domain/settled.ts'
import type { LocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { createDynamoStore } from '../../../lib/store/dynamo/dynamo.ts'
import { keys } from '../../../lib/store/dynamo/items.ts'
import { aCancellation, aDispatch, aFence, aGraph, someTime } from '../../support/builders.ts'
import { aNewId, describeStore, handle } from '../store-contract.ts'

describeStore('the store on DynamoDB', async () => {
  const dynamo = await startLocalDynamo()
  return { store: createDynamoStore(dynamo.client, dynamo.tableName), stop: () => dynamo.close() }
})

test('a tombstone that comes while its dispatch is made leaves it its graph', async () => {
  const dynamo = await startLocalDynamo()
  const id = aNewId()
  const real = createDynamoStore(dynamo.client, dynamo.tableName)
  // The dispatch is made after all that the tombstone writes before its META.
  const send = async (command: object) => {
    if (command instanceof PutCommand && command.input.Item?.sk === 'META')
      await real.createDispatch(aDispatch({ id, taskCount: 2 }), aGraph([{}, {}]))
    return dynamo.client.send(command as never)
  }
  const late = createDynamoStore({ send } as Pick<DynamoDBDocumentClient, 'send'>, dynamo.tableName)
  expect(await late.createDispatch(aDispatch({ id, taskCount: 0, status: 'cancelled' }))).toBe(false)
  expect((await real.readDispatch(id))?.taskCount).toBe(2)
  expect((await createDynamoStore(dynamo.client, dynamo.tableName).readGraph(id)).tasks).toHaveLength(2)
  await dynamo.close()
})

test('a tombstone has no tasks, and what has no graph yet is not remembered', async () => {
  const dynamo = await startLocalDynamo()
  const id = aNewId()
  const store = createDynamoStore(dynamo.client, dynamo.tableName)
  expect((await store.readGraph(id)).tasks).toEqual([])
  await store.createDispatch(aDispatch({ id }), aGraph())
  expect((await store.readGraph(id)).tasks).toHaveLength(1)
  await dynamo.close()
})

describe('what it costs', () => {
  let dynamo: LocalDynamo

  beforeAll(async () => {
    dynamo = await startLocalDynamo()
  })
  afterAll(() => dynamo.close())

  /** A store that keeps the names of the commands it sends, and may answer some of them itself. */
  const aWatchedStore = (answer: (command: object) => unknown = () => undefined) => {
    const sent: string[] = []
    const send = async (command: object) => {
      sent.push(command.constructor.name.replace('Command', ''))
      return answer(command) ?? dynamo.client.send(command as never)
    }
    return { sent, store: createDynamoStore({ send } as Pick<DynamoDBDocumentClient, 'send'>, dynamo.tableName) }
  }

  const graphItems = async (id: string) => {
    const items = []
    for (let chunk = 0; ; chunk++) {
      const { Item } = await dynamo.client.send(
        new GetCommand({ TableName: dynamo.tableName, Key: keys.graph(id, chunk) }),
      )
      if (!Item) return items
      items.push(Item)
    }
  }

  test('a small graph is one item of plain JSON', async () => {
    const { store, sent } = aWatchedStore()
    const dispatch = aDispatch({ id: aNewId() })
    await store.createDispatch(dispatch, aGraph())
    expect(sent).toEqual(['Put', 'Put'])
    expect(await graphItems(dispatch.id)).toMatchObject([{ json: JSON.stringify(aGraph()) }])
  })

  test('a graph above 350 KB is cut into gzipped items, and comes back as it was', async () => {
    const graph = aGraph(
      Array.from({ length: 40 }, () => ({ options: { noise: randomBytes(24 * 1024).toString('base64') } })),
    )
    const { store, sent } = aWatchedStore()
    const dispatch = aDispatch({ id: aNewId(), taskCount: 40 })
    await store.createDispatch(dispatch, graph)
    const items = await graphItems(dispatch.id)
    expect(items.length).toBeGreaterThan(2)
    expect(sent).toHaveLength(items.length + 1)
    for (const item of items) expect((item.gzip as Uint8Array).length).toBeLessThanOrEqual(350 * 1024)
    expect(await aWatchedStore().store.readGraph(dispatch.id)).toEqual(graph)
  })

  test('10,000 tasks are a handful of writes, and settling and cancelling them one each', async () => {
    const tasks = Array.from({ length: 10_000 }, (_, n) => ({
      needs: n > 0 ? [n - 1] : [],
      options: { command: ['node', 'sample.mjs', String(n)] },
    }))
    const { store, sent } = aWatchedStore()
    const dispatch = aDispatch({ id: aNewId(), taskCount: 10_000 })
    await store.createDispatch(dispatch, aGraph(tasks))
    expect(sent.length).toBeLessThanOrEqual(5)
    expect(new Set(sent)).toEqual(new Set(['Put']))
    sent.length = 0
    await store.writeFence(dispatch.id, aFence({ scope: new Uint8Array(1250).fill(255) }), {
      epoch: 1,
      isDrain: false,
    })
    const all = new Map(tasks.map((_, id) => [id, id % 2 ? ('cancelled' as const) : ('skipped' as const)]))
    await store.commitTurn(dispatch.id, 2, settle({ settled: nothingSettled(10_000) }, all, 10_000))
    expect(sent).toEqual(['Update', 'Update'])
    expect(await store.readGraph(dispatch.id)).toEqual(aGraph(tasks))
  })

  test('META is written after the graph: a crash in between leaves no dispatch', async () => {
    const dispatch = aDispatch({ id: aNewId() })
    const { store } = aWatchedStore((command) => {
      if ((command as { input: { Item?: { sk?: string } } }).input.Item?.sk === 'META') throw new Error('crash')
    })
    await expect(store.createDispatch(dispatch, aGraph())).rejects.toThrow('crash')
    expect(await store.readDispatch(dispatch.id)).toBeUndefined()
    expect(await aWatchedStore().store.createDispatch(dispatch, aGraph())).toBe(true)
  })

  test('a graph is read once, and the 100 last ones are kept in memory', async () => {
    const ids = Array.from({ length: 101 }, aNewId)
    const writer = aWatchedStore().store
    await Promise.all(ids.map((id) => writer.createDispatch(aDispatch({ id }), aGraph())))
    const { store, sent } = aWatchedStore()
    for (const id of ids) expect(await store.readGraph(id)).toBe(await store.readGraph(id))
    expect(sent).toHaveLength(101)
    await store.readGraph(ids[100] as string)
    expect(sent).toHaveLength(101)
    await store.readGraph(ids[0] as string)
    expect(sent).toHaveLength(102)
  })

  test('what decides is read with strong consistency', async () => {
    const inputs: { ConsistentRead?: boolean; RequestItems?: Record<string, { ConsistentRead?: boolean }> }[] = []
    const { store } = aWatchedStore((command) => {
      inputs.push((command as { input: object }).input)
    })
    const id = aNewId()
    await store.readDispatch(id)
    await store.readLive(id)
    await store.readRuns(id, [0])
    await store.readAllRuns(id)
    await store.readCancellation(id, 'x')
    await store.listCancellations(id)
    expect(inputs).toHaveLength(6)
    for (const { ConsistentRead, RequestItems } of inputs)
      expect(ConsistentRead ?? RequestItems?.[dynamo.tableName]?.ConsistentRead).toBe(true)
  })

  test('keys that a bulk read leaves out are asked for again', async () => {
    const id = aNewId()
    const { store: writer } = aWatchedStore()
    await writer.createDispatch(aDispatch({ id, taskCount: 2 }), aGraph([{}, {}]))
    for (const taskId of [0, 1])
      await writer.claim(id, { taskId, attempt: 1, claimId: 'c', executor: 'batch', at: someTime })
    let isFirst = true
    const { store, sent } = aWatchedStore((command) => {
      if (!isFirst) return undefined
      isFirst = false
      const { RequestItems } = (command as { input: { RequestItems: object } }).input
      return { UnprocessedKeys: RequestItems }
    })
    expect((await store.readRuns(id, [0, 1])).map((run) => run.id)).toEqual([0, 1])
    expect(sent).toEqual(['BatchGet', 'BatchGet'])
  })

  test('a list of many pages is read to its end', async () => {
    const id = aNewId()
    const { store: writer } = aWatchedStore()
    const big = { big: 'x'.repeat(300_000) }
    await writer.createDispatch(aDispatch({ id, taskCount: 8 }), aGraph(Array.from({ length: 8 }, () => ({}))))
    for (let taskId = 0; taskId < 8; taskId++) {
      const claim = { taskId, attempt: 1, claimId: 'c', executor: 'batch', at: someTime }
      await writer.claim(id, claim)
      await writer.storeHandle(id, claim, big, someTime)
    }
    const { store, sent } = aWatchedStore()
    expect(await store.readAllRuns(id)).toHaveLength(8)
    expect(await store.readLive(id)).toHaveLength(8)
    expect(sent.length).toBeGreaterThan(3)
  })

  test('what the database says is passed on, unless it is a condition', async () => {
    const { store } = aWatchedStore(() => {
      throw new Error('no network')
    })
    await expect(store.commitTurn(aNewId(), 1, { polledAt: 1 })).rejects.toThrow('no network')
    await expect(store.readDispatch(aNewId())).rejects.toThrow('no network')
  })
})

test('what is written on disk is there when it is opened again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quench-store-'))
  try {
    const id = aNewId()
    const graph = aGraph([{ options: { command: ['true'] } }, { needs: [0] }])
    const before = await startLocalDynamo({ directory })
    const first = createDynamoStore(before.client, before.tableName)
    await first.createDispatch(aDispatch({ id, taskCount: 2 }), graph)
    const claim = { taskId: 0, attempt: 1, claimId: 'c', executor: 'batch', at: someTime }
    await first.claim(id, claim)
    await first.storeHandle(id, claim, handle, someTime)
    await first.putCancellation(aCancellation({ dispatchId: id }))
    await first.writeFence(id, aFence(), { epoch: 1, isDrain: true })
    await first.addHistory(id, someTime, ['a line'])
    const read = async (store: typeof first) => ({
      dispatch: await store.readDispatch(id),
      graph: await store.readGraph(id),
      live: await store.readLive(id),
      cancellations: await store.listCancellations(id),
      events: await store.listHistory(id, { limit: 10 }),
      byOwner: await store.listByOwner('ada', { limit: 10 }),
      byPrefix: await store.findByPrefix('ada', id.slice(0, 8), 2),
      open: await store.listOpen(),
    })
    const written = await read(first)
    await before.close()

    const after = await startLocalDynamo({ directory })
    try {
      expect(await read(createDynamoStore(after.client, after.tableName))).toEqual(written)
      expect(written).toMatchObject({ dispatch: { epoch: 2 }, graph, live: [{ handle }], byPrefix: [id], open: [id] })
    } finally {
      await after.close()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
