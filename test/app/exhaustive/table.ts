import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { assigned, holdsFor, type Item, type Placeholders } from './expressions.ts'

/** What is in a table, by `pk` and `sk`. Never changed: a write gives another one. */
export type Table = ReadonlyMap<string, Item>

/** One command of the document client: `Get`, `Put`, `Update`, `Query` or `BatchGet`, and its input. */
export interface TableCommand {
  readonly kind: string
  readonly input: TableInput
}

interface TableInput extends Placeholders {
  readonly Key?: Item
  readonly Item?: Item
  readonly ConditionExpression?: string
  readonly UpdateExpression?: string
  readonly IndexName?: string
  readonly KeyConditionExpression?: string
  readonly ScanIndexForward?: boolean
  readonly Limit?: number
  readonly ExclusiveStartKey?: Item
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly Item[] }>>
}

export interface TableAnswer {
  readonly table: Table
  readonly value?: object
  readonly error?: Error
}

export const keyOf = ({ pk, sk }: Item) => `${pk} ${sk}`

/**
 * DynamoDB as a function: what one command of the store makes of a table, and what it answers. It knows the expressions
 * that the store uses; `test/store/store-contract.ts` holds it to the same as dynalite.
 */
export function applyCommand(table: Table, { kind, input }: TableCommand): TableAnswer {
  switch (kind) {
    case 'Get':
      return { table, value: { Item: table.get(keyOf(input.Key as Item)) } }
    case 'BatchGet': {
      const requested = Object.entries(input.RequestItems ?? {})
      const found = (keys: readonly Item[]) => keys.map((key) => table.get(keyOf(key))).filter((one) => one)
      return {
        table,
        value: { Responses: Object.fromEntries(requested.map(([name, { Keys }]) => [name, found(Keys)])) },
      }
    }
    case 'Query':
      return { table, value: query(table, input) }
    case 'Put':
      return write(table, input, input.Item as Item, () => clean(input.Item as Item))
    case 'Update':
      return write(table, input, input.Key as Item, (before) =>
        clean({ ...assigned(before, input.UpdateExpression ?? '', input), ...input.Key }),
      )
    default:
      throw new Error(`the table knows no ${kind}`)
  }
}

function write(table: Table, input: TableInput, key: Item, make: (before: Item) => Item): TableAnswer {
  const before = table.get(keyOf(key)) ?? {}
  if (input.ConditionExpression !== undefined && !holdsFor(before, input.ConditionExpression, input))
    return {
      table,
      error: new ConditionalCheckFailedException({ message: 'the condition does not hold', $metadata: {} }),
    }
  return { table: new Map(table).set(keyOf(key), make(before)), value: {} }
}

/** As the client with `removeUndefinedValues` writes it. */
function clean(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined))
}

/** The attribute by which an index sorts; an item without it is not in the index. */
const sortedBy: Readonly<Record<string, string>> = {
  live: 'live',
  'by-owner': 'createdAt',
  'by-owner-and-id': 'dispatchId',
  open: 'createdAt',
}

function query(table: Table, input: TableInput): object {
  const sort = input.IndexName === undefined ? 'sk' : (sortedBy[input.IndexName] as string)
  const found = [...table.values()]
    .filter((item) => item[sort] !== undefined && holdsFor(item, input.KeyConditionExpression ?? '', input))
    .sort((a, b) => compare(a[sort], b[sort]) || compare(keyOf(a), keyOf(b)))
  if (input.ScanIndexForward === false) found.reverse()
  const start = input.ExclusiveStartKey
  if (start !== undefined && !found.some((item) => keyOf(item) === keyOf(start)))
    throw Object.assign(new Error('the start is outside of the query'), { name: 'ValidationException' })
  const at = start === undefined ? 0 : found.findIndex((item) => keyOf(item) === keyOf(start)) + 1
  const page = found.slice(at, at + (input.Limit ?? found.length))
  const last = page.at(-1)
  return { Items: page, ...(last && at + page.length < found.length && { LastEvaluatedKey: keysOf(last) }) }
}

const keyAttributes = ['pk', 'sk', ...Object.values(sortedBy), 'owner', 'open']

function keysOf(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([name]) => keyAttributes.includes(name)))
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a) < String(b) ? -1 : Number(String(a) > String(b))
}

/** A write of the history, which nothing reads but people. */
export function isHistory({ kind, input }: TableCommand): boolean {
  return kind === 'Put' && String(input.Item?.sk).startsWith('EVENT#')
}
