import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { createDynamoStore } from '../../../lib/store/dynamo/dynamo.ts'
import { describeStore } from '../../store/store-contract.ts'
import { applyCommand, type Table, type TableCommand } from './table.ts'

describeStore('the store on the table of the exhaustive search', async () => {
  let table: Table = new Map()
  const send = async (command: { readonly input: TableCommand['input'] }) => {
    const answer = applyCommand(table, { kind: command.constructor.name.replace('Command', ''), input: command.input })
    table = answer.table
    if (answer.error) throw answer.error
    return structuredClone(answer.value)
  }
  const client = { send } as unknown as Pick<DynamoDBDocumentClient, 'send'>
  return { store: createDynamoStore(client, 'quench'), stop: async () => {} }
})
