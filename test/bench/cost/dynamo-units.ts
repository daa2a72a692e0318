import { isDeepStrictEqual } from 'node:util'
import { tableDefinition } from '../../../lib/store/dynamo/table.ts'

/** As the document client gives it: plain values. */
export type Item = Readonly<Record<string, unknown>>

const writeUnitBytes = 1024
const readUnitBytes = 4096

/**
 * What items are charged as. dynalite counts no indexes, so it is counted here.
 *
 * Source: DynamoDB developer guide, "DynamoDB item sizes and formats".
 */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0)
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value === 'number') return 1 + Math.ceil(significantDigits(value) / 2)
  if (value instanceof Uint8Array) return value.length
  if (typeof value !== 'object' || value === null) return 1
  if (Array.isArray(value)) return 3 + value.reduce<number>((sum, one) => sum + 1 + valueBytes(one), 0)
  return 3 + Object.keys(value).length + itemBytes(value as Item)
}

function significantDigits(value: number): number {
  return String(Math.abs(value)).replace('.', '').replace(/^0+/, '').replace(/0+$/, '').length
}

/**
 * The read units of items that are read one by one (GetItem, BatchGetItem): each is rounded up; one that is not there
 * takes one.
 *
 * Source of this and the next: DynamoDB developer guide, "DynamoDB read and write operations".
 */
export function readUnitsOfEach(items: readonly (Item | undefined)[]): number {
  return items.reduce((sum, item) => sum + Math.max(1, Math.ceil((item ? itemBytes(item) : 0) / readUnitBytes)), 0)
}

/** The read units of a page of a query: rounded up together, half where it need not be consistent. */
export function readUnitsOfQuery(items: readonly Item[], isConsistent: boolean): number {
  const bytes = items.reduce((sum, item) => sum + itemBytes(item), 0)
  return Math.max(1, Math.ceil(bytes / readUnitBytes)) / (isConsistent ? 1 : 2)
}

/** The write units of a write that failed on its condition: by the item that is there. */
export function writeUnitsOfRefusal(item: Item | undefined): number {
  return item ? unitsOf(item) : 1
}

/**
 * The write units of a change, all indexes included.
 *
 * Source: the same page; for indexes "Local secondary indexes" and "Using Global Secondary Indexes", on writes: an entry
 * that comes, goes or changes takes one write, one whose key changes two, one whose projection stays none.
 */
export function writeUnits(before: Item | undefined, after: Item): number {
  const inTable = Math.max(before ? unitsOf(before) : 1, unitsOf(after))
  return indexes.reduce((sum, index) => sum + indexUnits(index, before, after), inTable)
}

interface Index {
  readonly keys: readonly string[]
  readonly holdsAll: boolean
}

const definition = tableDefinition('any')
const tableKeys = definition.KeySchema.map(({ AttributeName }) => AttributeName)
const indexes: readonly Index[] = [...definition.LocalSecondaryIndexes, ...definition.GlobalSecondaryIndexes].map(
  ({ KeySchema, Projection }) => ({
    keys: KeySchema.map(({ AttributeName }) => AttributeName),
    holdsAll: Projection.ProjectionType === 'ALL',
  }),
)

function indexUnits(index: Index, before: Item | undefined, after: Item): number {
  const old = before && entryOf(index, before)
  const next = entryOf(index, after)
  if (!old || !next) return (old ? unitsOf(old) : 0) + (next ? unitsOf(next) : 0)
  if (index.keys.some((key) => old[key] !== next[key])) return unitsOf(old) + unitsOf(next)
  return isDeepStrictEqual(old, next) ? 0 : Math.max(unitsOf(old), unitsOf(next))
}

/** What an index holds of an item; undefined where it lacks a key of the index. */
function entryOf({ keys, holdsAll }: Index, item: Item): Item | undefined {
  if (keys.some((key) => item[key] === undefined)) return undefined
  if (holdsAll) return item
  return Object.fromEntries([...new Set([...tableKeys, ...keys])].map((key) => [key, item[key]]))
}

function unitsOf(item: Item): number {
  return Math.max(1, Math.ceil(itemBytes(item) / writeUnitBytes))
}
