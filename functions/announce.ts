import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { clientOptions } from '../lib/runtime/client-options.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { announceWrites } from '../lib/runtime/events/announce-writes.ts'
import { handle } from '../lib/runtime/handler.ts'
import { createDynamoStore } from '../lib/store/dynamo/dynamo.ts'

const { QUENCH_TABLE } = readConfig('announce')
const table = DynamoDBDocumentClient.from(new DynamoDBClient(clientOptions))
const announcer = { store: createDynamoStore(table, QUENCH_TABLE), bus: new EventBridgeClient(clientOptions) }

/** Called with batches of the table's writes: tell the default bus what they changed. */
export const handler = handle('announce', (event: unknown) => announceWrites(announcer, event))
