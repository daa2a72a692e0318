import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { join } from 'node:path'
import {
  CreateTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import dynalite from 'dynalite'
import database from 'dynalite/db/index.js'
import { tableDefinition } from '../../store/dynamo/table.ts'
import { DatabaseUnusable, databaseUnusable } from './database-unusable.ts'
import { guardLevel, type Level } from './guard-level.ts'
import { inProcessHandler } from './in-process-handler.ts'
import { repairIndexes } from './repair-indexes.ts'

export interface LocalDynamo {
  readonly client: DynamoDBDocumentClient
  readonly tableName: string
  close(): Promise<void>
}

/**
 * DynamoDB in this process: dynalite, on disk under `directory`, in memory without one. The table is made where it
 * does not exist, and repaired where the last process on it was killed. A database that was here and is not any more is
 * not taken for a new one.
 * Errors: DatabaseUnusable.
 */
export async function startLocalDynamo({ directory }: { directory?: string } = {}): Promise<LocalDynamo> {
  const wasMade = directory !== undefined && existsSync(madeMark(directory))
  if (wasMade && !existsSync(join(directory, 'CURRENT'))) throw new DatabaseUnusable('lost')
  const server = await openServer(directory)
  try {
    return await serve(server, directory, wasMade)
  } catch (error) {
    await closeServer(server)
    throw databaseUnusable(error)
  }
}

/** Errors of the database itself are known before anything is asked of it: dynalite would throw them into nowhere. */
async function openServer(directory: string | undefined): Promise<Server> {
  const { create } = database
  let level: Level | undefined
  database.create = (options) => {
    const store = create(options)
    level = store.db
    return store
  }
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, ...(directory !== undefined && { path: directory }) })
  database.create = create
  if (!level) throw new Error('dynalite has made no database')
  try {
    await level.open()
  } catch (error) {
    throw databaseUnusable(error)
  }
  guardLevel(level, directory)
  return server
}

async function serve(server: Server, directory: string | undefined, wasMade: boolean): Promise<LocalDynamo> {
  const wasKilled = directory !== undefined && (await markOpen(directory))
  const client = new DynamoDBClient({
    // It listens nowhere: nobody else on this machine is to reach what is in it.
    endpoint: 'http://127.0.0.1',
    region: 'local',
    // dynalite wants a signature to be there and does not check it: making one would be a tenth of the work.
    requestHandler: inProcessHandler(server),
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: { sign: async (request) => ({ ...request, headers: { ...request.headers, ...unchecked } }) },
  })
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
  const tableName = 'quench'
  try {
    if (wasMade && !(await hasTable(client, tableName))) throw new DatabaseUnusable('lost')
    await client.send(new CreateTableCommand(tableDefinition(tableName)))
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error
  }
  // dynalite answers CreateTable a moment before it takes writes.
  await waitUntilTableExists({ client, minDelay: 0.01, maxDelay: 0.1, maxWaitTime: 10 }, { TableName: tableName })
  if (wasKilled) await repairIndexes(documents, tableDefinition(tableName))
  if (directory !== undefined) await writeFile(madeMark(directory), '')
  return {
    client: documents,
    tableName,
    close: async () => {
      client.destroy()
      await closeServer(server)
      if (directory !== undefined) await rm(openMark(directory), { force: true })
    },
  }
}

/** dynalite closes its database with its server, and only one that listens. */
async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
}

const unchecked = {
  'x-amz-date': '20260101T000000Z',
  authorization:
    'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=local',
}

async function hasTable(client: DynamoDBClient, tableName: string): Promise<boolean> {
  const { TableNames = [] } = await client.send(new ListTablesCommand({}))
  return TableNames.includes(tableName)
}

const openMark = (directory: string) => `${directory}.open`
/** Beside the database, and not in it: it tells of one that is gone. */
const madeMark = (directory: string) => `${directory}.made`

/** Leave a mark beside a folder for as long as it is in use. Was one there already? */
async function markOpen(directory: string): Promise<boolean> {
  try {
    await writeFile(openMark(directory), '', { flag: 'wx' })
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return true
    throw error
  }
}
