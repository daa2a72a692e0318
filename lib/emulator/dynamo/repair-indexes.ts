import { isDeepStrictEqual } from 'node:util'
import { type DynamoDBDocumentClient, PutCommand, paginateScan } from '@aws-sdk/lib-dynamodb'
import type { tableDefinition } from '../../store/dynamo/table.ts'

type Item = Record<string, unknown>
type Table = ReturnType<typeof tableDefinition>

/**
 * Make the indexes of a table say what its items say, after dynalite was killed.
 *
 * DynamoDB changes an item and its local indexes in one go. Dynalite takes what is old out of the indexes, puts in what
 * is new, and changes the item last: killed in between, it leaves a task that the index knows another way than the
 * table, which no turn would ever settle. The write was not acknowledged, so it may count or not: an index that carries
 * whole items has the newer one, and the item follows it; what is missing in an index is put back from the item. What a
 * keys-only index has too much stays: its readers go on to the items anyway.
 * Each step is one write of a whole item, so this may be killed as well and run again. Nobody else may write meanwhile.
 * Source: dynalite 4, db/index.js, updateIndexes, and actions/updateItem.js.
 */
export async function repairIndexes(client: DynamoDBDocumentClient, table: Table): Promise<void> {
  const indexes = [...table.LocalSecondaryIndexes, ...table.GlobalSecondaryIndexes]
  const items = await scan(client, table, (item) => indexes.some((index) => isIn(index, item)))
  const put = async (item: Item) => {
    await client.send(new PutCommand({ TableName: table.TableName, Item: item }))
    items.set(keyOf(table, item), item)
  }

  for (const index of indexes) {
    const entries = await scan(client, { ...table, IndexName: index.IndexName })
    if (index.Projection.ProjectionType === 'ALL') {
      for (const [key, entry] of entries) if (!isDeepStrictEqual(entry, items.get(key))) await put(entry)
    }
    for (const [key, item] of items) if (isIn(index, item) && !entries.has(key)) await put(item)
  }
}

/** What a table or an index holds, by the table's key; all of it, or what `isWanted`. */
async function scan(
  client: DynamoDBDocumentClient,
  source: Table & { readonly IndexName?: string },
  isWanted: (item: Item) => boolean = () => true,
): Promise<Map<string, Item>> {
  const { TableName, IndexName } = source
  const found = new Map<string, Item>()
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ...(IndexName && { IndexName }) }))
    for (const item of Items) if (isWanted(item)) found.set(keyOf(source, item), item)
  return found
}

function isIn({ KeySchema }: { KeySchema: Table['KeySchema'] }, item: Item): boolean {
  return KeySchema.every(({ AttributeName }) => item[AttributeName] !== undefined)
}

function keyOf({ KeySchema }: Table, item: Item): string {
  return JSON.stringify(KeySchema.map(({ AttributeName }) => item[AttributeName]))
}
