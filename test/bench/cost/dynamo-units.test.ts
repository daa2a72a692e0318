import { describe, expect, it } from 'vitest'
import { itemBytes, readUnitsOfEach, readUnitsOfQuery, writeUnits, writeUnitsOfRefusal } from './dynamo-units.ts'

const ofBytes = (bytes: number) => ({ x: 'a'.repeat(bytes - 1) })
const kb = (count: number) => ofBytes(Math.round(count * 1024))

const aTask = { pk: 'DISPATCH#1', sk: 'TASK#00000', state: 'queued', live: 0 }
const aMeta = { pk: 'DISPATCH#1', sk: 'META', owner: 'ada', createdAt: 1, dispatchId: '1', open: 'OPEN#1', version: 1 }

describe('the size of an item', () => {
  it.each([
    ['strings by their bytes in UTF-8', { name: 'é' }, 4 + 2],
    ['numbers by pairs of significant digits, and one', { n: 12_300, m: 0.05 }, 2 + 3 + 2],
    ['binary by its bytes', { b: new Uint8Array(10) }, 11],
    ['true, false and null as one', { a: true, b: null }, 4],
    ['lists and maps as 3, and 1 for each element', { l: ['ab', true], m: { k: 'v' } }, 1 + 3 + 3 + 2 + 1 + 3 + 3],
  ])('counts %s', (_, item, bytes) => {
    expect(itemBytes(item)).toBe(bytes)
  })
})

// The figures are those of the DynamoDB developer guide, "DynamoDB read and write operations".
describe('read units', () => {
  it('round up each item that is read alone or in a batch', () => {
    expect(readUnitsOfEach([kb(3.5)])).toBe(1)
    expect(readUnitsOfEach([kb(1.5), kb(6.5)])).toBe(3)
    expect(readUnitsOfEach([undefined])).toBe(1)
  })

  it('round up what a query finds as a whole, and are halved where it need not be consistent', () => {
    const items = Array.from({ length: 10 }, () => kb(4.08))
    expect(readUnitsOfQuery(items, true)).toBe(11)
    expect(readUnitsOfQuery(items, false)).toBe(5.5)
    expect(readUnitsOfQuery([], false)).toBe(0.5)
  })
})

describe('write units', () => {
  it('go by the larger of the item before and after', () => {
    expect(writeUnits(undefined, kb(0.5))).toBe(1)
    expect(writeUnits(kb(3.5), kb(0.5))).toBe(4)
    expect(writeUnits(kb(0.5), kb(1.5))).toBe(2)
  })

  it.each([
    ['an entry that comes', undefined, aTask, 2],
    ['an entry that changes', aTask, { ...aTask, state: 'running' }, 2],
    ['an entry that goes', aTask, { ...aTask, live: undefined }, 2],
    ['an entry whose key changes', aTask, { ...aTask, live: 7 }, 3],
    ['no entry', { ...aTask, live: undefined }, { ...aTask, live: undefined, state: 'failed' }, 1],
    ['entries of three indexes that hold keys only', undefined, aMeta, 4],
    ['entries whose keys stay as they are', aMeta, { ...aMeta, version: 2 }, 1],
    ['one of the entries going', aMeta, { ...aMeta, open: undefined }, 2],
  ])('count %s', (_, before, after, units) => {
    expect(writeUnits(before, after)).toBe(units)
  })

  it('are taken by a refused write as well', () => {
    expect(writeUnitsOfRefusal(undefined)).toBe(1)
    expect(writeUnitsOfRefusal(kb(2.5))).toBe(3)
  })
})
