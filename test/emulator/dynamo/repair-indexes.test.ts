import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb'
import { expect, it } from 'vitest'
import { startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { repairIndexes } from '../../../lib/emulator/dynamo/repair-indexes.ts'
import { tableDefinition } from '../../../lib/store/dynamo/table.ts'

type Item = Record<string, unknown>

const table = tableDefinition('quench')
const meta = { pk: 'DISPATCH#1', sk: 'META', owner: 'ann', createdAt: 1, dispatchId: '1', open: 'OPEN#1', version: 7 }
const task = { pk: 'DISPATCH#1', sk: 'TASK#0', live: 0, state: 'submitting' }

/** What repairing puts, where scans of the table and of its indexes give these. */
async function repairOf(found: { table: readonly Item[] } & Partial<Record<string, readonly Item[]>>) {
  const puts: unknown[] = []
  const send = async (command: unknown) => {
    if (command instanceof ScanCommand) return { Items: found[command.input.IndexName ?? 'table'] ?? [] }
    if (command instanceof PutCommand) return puts.push(command.input.Item)
    throw new Error('not answered here')
  }
  const { client, close } = await startLocalDynamo()
  client.send = send as DynamoDBDocumentClient['send']
  await repairIndexes(client, table)
  await close()
  return puts
}

const keysOfMeta = { 'by-owner': [meta], 'by-owner-and-id': [meta], open: [meta] }

it('writes nothing where the indexes agree with the table', async () => {
  expect(
    await repairOf({ table: [meta, task, { pk: 'DISPATCH#1', sk: 'GRAPH#00' }], live: [task], ...keysOfMeta }),
  ).toEqual([])
})

it('finishes a write that has come as far as the index of live tasks', async () => {
  const newer = { ...task, state: 'queued', handle: { pid: 1 } }
  expect(await repairOf({ table: [task], live: [newer] })).toEqual([newer])
})

it('finishes a claim whose item was never written', async () => {
  expect(await repairOf({ table: [], live: [task] })).toEqual([task])
})

it('puts back a live task that only its index has lost', async () => {
  expect(await repairOf({ table: [task], live: [] })).toEqual([task])
})

it('puts back an open dispatch that only its index has lost', async () => {
  expect(await repairOf({ table: [meta], ...keysOfMeta, open: [] })).toEqual([meta])
})

it('leaves keys without an item alone', async () => {
  expect(await repairOf({ table: [], ...keysOfMeta })).toEqual([])
})
