import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { keys } from '../../../lib/store/dynamo/items.ts'
import { createWakeStore, type WakeStore } from '../../../lib/store/dynamo/wake.ts'
import { someTime } from '../../support/builders.ts'
import { aNewId } from '../store-contract.ts'

let dynamo: LocalDynamo
let wake: WakeStore

beforeAll(async () => {
  dynamo = await startLocalDynamo()
  wake = createWakeStore(dynamo.client, dynamo.tableName)
})
afterAll(() => dynamo.close())

const first = { epoch: 1, generation: 1 }

/** What the state machine writes when it rests. */
const rest = (id: string, token: string) =>
  dynamo.client.send(
    new UpdateCommand({
      TableName: dynamo.tableName,
      Key: keys.wake(id),
      UpdateExpression: 'SET #token = :token',
      ExpressionAttributeNames: { '#token': 'token' },
      ExpressionAttributeValues: { ':token': token },
    }),
  )

describe('the bell of a dispatch', () => {
  test('counts the news from nothing, also before the first turn', async () => {
    const [early, late] = [aNewId(), aNewId()]
    expect(await wake.beginTurn(late, first, someTime)).toBe(0)
    await wake.ring(late, someTime)
    expect(await wake.beginTurn(late, first, someTime)).toBe(1)
    expect(await wake.ring(early, someTime)).toBeUndefined()
    await wake.ring(early, someTime)
    expect(await wake.beginTurn(early, first, someTime)).toBe(2)
  })

  test('gives the token of the loop that rests, and again until the next turn takes it away', async () => {
    const id = aNewId()
    await wake.beginTurn(id, first, someTime)
    expect(await wake.ring(id, someTime)).toBeUndefined()
    await rest(id, 'a token')
    expect(await wake.ring(id, someTime)).toBe('a token')
    expect(await wake.ring(id, someTime)).toBe('a token')
    await wake.beginTurn(id, first, someTime)
    expect(await wake.ring(id, someTime)).toBeUndefined()
  })
})

describe('the loop of a dispatch', () => {
  test('is unknown before its first turn, also when someone rang', async () => {
    const id = aNewId()
    expect(await wake.read(id)).toBeUndefined()
    await wake.ring(id, someTime)
    expect(await wake.read(id)).toBeUndefined()
  })

  test('is the newest one that has had a turn: an older one is told to end', async () => {
    const id = aNewId()
    for (const loop of [first, { epoch: 1, generation: 2 }, { epoch: 2, generation: 1 }]) {
      expect(await wake.beginTurn(id, loop, someTime + loop.epoch)).toBe(0)
      expect(await wake.read(id)).toEqual({ ...loop, turnAt: someTime + loop.epoch })
    }
    expect(await wake.beginTurn(id, { epoch: 1, generation: 9 }, someTime)).toBeUndefined()
    expect(await wake.beginTurn(id, first, someTime)).toBeUndefined()
    expect(await wake.read(id)).toMatchObject({ epoch: 2, generation: 1 })
  })

  test('that has ended gets one successor, however many look for one', async () => {
    const id = aNewId()
    const [second, third] = [
      { epoch: 1, generation: 2 },
      { epoch: 1, generation: 3 },
    ]
    expect(await wake.succeed(id, undefined, first, someTime)).toBe(true)
    expect(await wake.succeed(id, undefined, first, someTime)).toBe(false)
    expect(await wake.succeed(id, first, second, someTime)).toBe(true)
    expect(await wake.succeed(id, first, third, someTime)).toBe(false)
    expect(await wake.read(id)).toMatchObject(second)
    expect(await wake.beginTurn(id, first, someTime)).toBeUndefined()
    expect(await wake.beginTurn(id, second, someTime)).toBe(0)
  })
})

test('what it writes expires with its dispatch', async () => {
  const [turned, rung] = [aNewId(), aNewId()]
  await wake.beginTurn(turned, first, someTime)
  await wake.ring(rung, someTime)
  for (const id of [turned, rung]) {
    const { Item } = await dynamo.client.send(new GetCommand({ TableName: dynamo.tableName, Key: keys.wake(id) }))
    expect(Item?.ttl).toBeGreaterThan(someTime / 1000)
  }
})

test('what the database says is passed on, unless it is a condition', async () => {
  const broken = createWakeStore({ send: () => Promise.reject(new Error('no network')) }, 'quench')
  await expect(broken.beginTurn(aNewId(), first, someTime)).rejects.toThrow('no network')
  await expect(broken.succeed(aNewId(), undefined, first, someTime)).rejects.toThrow('no network')
})
