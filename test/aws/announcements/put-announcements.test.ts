import type { PutEventsCommand, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { expect, test } from 'vitest'
import { putEvents } from '../../../lib/aws/announcements/put-announcements.ts'

/** A bus that takes what `takes` says; how often it is asked for an entry is counted. */
function aBus(takes: (detail: string, asked: number) => boolean) {
  const calls: string[][] = []
  const asked = new Map<string, number>()
  const send = async ({ input: { Entries = [] } }: PutEventsCommand) => {
    calls.push(Entries.map(({ Detail = '' }) => Detail.slice(0, 4)))
    const answers = Entries.map(({ Detail = '' }) => {
      const count = (asked.get(Detail) ?? 0) + 1
      asked.set(Detail, count)
      return takes(Detail, count) ? { EventId: 'id' } : { ErrorCode: 'ThrottlingException' }
    })
    return { Entries: answers }
  }
  return { bus: { send } as never, calls }
}

const entries = (count: number, bytes = 4): readonly PutEventsRequestEntry[] =>
  Array.from({ length: count }, (_, n) => ({ Detail: String(n).padEnd(bytes, ' ') }))

test.each([
  [0, []],
  [1, [1]],
  [10, [10]],
  [11, [10, 1]],
  [101, [...Array.from({ length: 10 }, () => 10), 1]],
])('%i events go in calls of ten', async (count, sizes) => {
  const { bus, calls } = aBus(() => true)
  expect(await putEvents(bus, entries(count))).toEqual([])
  expect(calls.map(({ length }) => length)).toEqual(sizes)
})

test('large events go in calls that stay below 256 KB', async () => {
  const { bus, calls } = aBus(() => true)
  await putEvents(bus, entries(5, 100 * 1024))
  expect(calls.map(({ length }) => length)).toEqual([2, 2, 1])
})

test('what is refused is asked for again, alone, and what is refused for good is told', async () => {
  const { bus, calls } = aBus((detail, asked) => (detail === '3   ' ? asked > 2 : detail !== '5   '))
  expect(await putEvents(bus, entries(6))).toEqual([5])
  expect(calls.slice(1)).toEqual([['3   ', '5   '], ['3   ', '5   '], ['5   ']])
})

test('an error of the call is an error', async () => {
  const bus = { send: () => Promise.reject(new Error('AccessDenied')) } as never
  await expect(putEvents(bus, entries(1))).rejects.toThrow('AccessDenied')
})
