import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { announceWrites } from '../lib/aws/announcements/announce-writes.ts'
import { readConfig } from '../lib/aws/config.ts'
import { handle } from '../lib/aws/handler.ts'
import { clientOptions } from '../lib/back-ends/client-options.ts'
import { createDynamoStore } from '../lib/store/dynamo/dynamo.ts'

const { QUENCH_TABLE } = readConfig('announce')
const table = DynamoDBDocumentClient.from(new DynamoDBClient(clientOptions))
const announcer = { store: createDynamoStore(table, QUENCH_TABLE), bus: new EventBridgeClient(clientOptions) }

/** Called with batches of the table's writes: tell the default bus what they changed. */
export const handler = handle('announce', (event: unknown) => announceWrites(announcer, event))
