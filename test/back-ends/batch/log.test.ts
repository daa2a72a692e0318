import type { GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { expect, test } from 'vitest'
import { createLogReader } from '../../../lib/back-ends/batch/log.ts'
import { logStreamOf } from '../../../lib/back-ends/batch/log-stream.ts'

/** A stream of log events in pages; asking at its end gives the same token again. */
function aStream(...pages: string[][]) {
  const tokens: (string | undefined)[] = []
  const send = async (command: unknown) => {
    const { nextToken } = (command as GetLogEventsCommand).input
    tokens.push(nextToken)
    const page = Number(nextToken ?? 0)
    const events = (pages[page] ?? []).map((message) => ({ message }))
    return { events, nextForwardToken: String(Math.min(page + 1, pages.length)) }
  }
  return { tokens, pages, read: createLogReader({ send: send as never }) }
}

const place = { logGroupName: '/aws/batch/job', logStreamName: 'default/default/1' }

test('offsets count bytes of events and their line ends, over pages of any size', async () => {
  const { read } = aStream(['one', 'two'], [], ['€uro'])
  expect(await read(place, 0)).toEqual({ text: 'one\ntwo\n', nextOffset: 8 })
  expect(await read(place, 5)).toEqual({ text: 'wo\n', nextOffset: 8 })
  expect(await read(place, 8)).toEqual({ text: '€uro\n', nextOffset: 15 })
  expect(await read(place, 15)).toEqual({ text: '', nextOffset: 15 })
})

test('who follows a log reads its last page only', async () => {
  const { read, tokens, pages } = aStream(['one'], ['two'])
  expect(await read(place, 8)).toEqual({ text: '', nextOffset: 8 })
  tokens.length = 0
  pages.push(['three'])
  expect(await read(place, 8)).toEqual({ text: 'three\n', nextOffset: 14 })
  expect(tokens).toEqual(['2'])
})

test('a stream without events is not there yet', async () => {
  const missing = Object.assign(new Error('no stream'), { name: 'ResourceNotFoundException' })
  const read = createLogReader({ send: (() => Promise.reject(missing)) as never })
  expect(await read(place, 0)).toEqual({ text: '', nextOffset: 0 })
})

test('a job logs where its definition says, and only CloudWatch Logs is read', () => {
  const logStreamName = 'a/default/1'
  expect(logStreamOf({})).toBeUndefined()
  expect(logStreamOf({ container: { logStreamName } })).toEqual({ ...place, logStreamName })
  const options = { 'awslogs-group': 'mine' }
  expect(logStreamOf({ container: { logStreamName, logConfiguration: { logDriver: 'awslogs', options } } })).toEqual({
    logGroupName: 'mine',
    logStreamName,
  })
  const elsewhere = { container: { logConfiguration: { logDriver: 'splunk' as const } } }
  expect(() => logStreamOf(elsewhere)).toThrow('the job logs to splunk')
})
