import { afterAll, beforeAll, expect, test } from 'vitest'
import { findDispatch } from '../../../lib/app/read/find-dispatch.ts'
import { InvalidInput, NotFound } from '../../../lib/domain/errors.ts'
import type { LocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import type { Store } from '../../../lib/store/store.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aDispatch, aGraph } from '../../support/builders.ts'

const ada = { id: 'ada', isAdmin: false }
const bob = { id: 'bob', isAdmin: false }
const admin = { id: 'root', isAdmin: true }
const tail = '-0000-8000-8000-000000000000'
const [alone, first, second, ofBob] = ['aaaa0000', 'bbbb0001', 'bbbb0002', 'cccc0000'].map((head) => head + tail) as [
  string,
  string,
  string,
  string,
]

let dynamo: LocalDynamo
let store: Store

beforeAll(async () => {
  dynamo = await startLocalDynamo()
  store = anAppContext(dynamo).store
  for (const id of [alone, first, second]) await store.createDispatch(aDispatch({ id, owner: 'ada' }), aGraph())
  await store.createDispatch(aDispatch({ id: ofBob, owner: 'bob' }), aGraph())
})
afterAll(() => dynamo.close())

test.each([
  ['the whole id', alone, alone],
  ['four characters that fit one', 'aaaa', alone],
  ['enough characters to tell it from another', 'bbbb0002', second],
  ['all but the last character', first.slice(0, -1), first],
])('a dispatch is found by %s', async (_, given, id) => {
  expect(await findDispatch(store, ada, given)).toMatchObject({ id, owner: 'ada' })
})

test('a prefix that fits several is refused, and so is one that is too short', async () => {
  await expect(findDispatch(store, ada, 'bbbb000')).rejects.toThrow(
    new InvalidInput('more than one dispatch begins with bbbb000: give more of the id'),
  )
  await expect(findDispatch(store, ada, 'aaa')).rejects.toThrow(InvalidInput)
  await expect(findDispatch(store, ada, '')).rejects.toThrow(InvalidInput)
})

test("others' dispatches are not found, by no name, and the error does not tell them from none", async () => {
  for (const given of [ofBob, 'cccc', `dddd0000${tail}`, 'dddd', `${ofBob}0`])
    await expect(findDispatch(store, ada, given)).rejects.toThrow(new NotFound(`there is no dispatch ${given}`))
})

test('a prefix is not made ambiguous by dispatches of others', async () => {
  await store.createDispatch(aDispatch({ id: `aaaa1111${tail}`, owner: 'bob' }), aGraph())
  expect(await findDispatch(store, ada, 'aaaa')).toMatchObject({ id: alone })
  expect(await findDispatch(store, bob, 'aaaa')).toMatchObject({ id: `aaaa1111${tail}` })
})

test('an admin sees every dispatch by its whole id', async () => {
  expect(await findDispatch(store, admin, ofBob)).toMatchObject({ owner: 'bob' })
  await expect(findDispatch(store, admin, 'cccc')).rejects.toThrow(NotFound)
})
