import type { SendMessageBatchCommandInput } from '@aws-sdk/client-sqs'
import { expect, test } from 'vitest'
import { createSqsBulkRunner } from '../../lib/aws/bulk-runner.ts'

function aQueue(answer: object = {}) {
  const calls: SendMessageBatchCommandInput[] = []
  const send = async ({ input }: { input: SendMessageBatchCommandInput }) => {
    calls.push(input)
    return answer
  }
  const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/111122223333/bulk'
  return { calls, queueUrl, runner: createSqsBulkRunner({ sqs: { send } as never, queueUrl }) }
}

const ids = (count: number) => Array.from({ length: count }, (_, n) => `dispatch-${n}`)

test.each([
  [0, 0, 0],
  [1, 1, 1],
  [10, 1, 1],
  [11, 2, 1],
  [100, 10, 1],
  [101, 11, 2],
  [10_000, 1000, 100],
])('%i dispatches are %i messages in %i calls', async (count, messages, made) => {
  const { calls, queueUrl, runner } = aQueue()
  await runner.enqueue('bulk-1', ids(count))
  const entries = calls.flatMap(({ Entries = [] }) => Entries)
  const bodies = entries.map(({ MessageBody = '' }) => JSON.parse(MessageBody))
  expect(calls).toHaveLength(made)
  expect(entries).toHaveLength(messages)
  expect(bodies.flatMap(({ dispatchIds }) => dispatchIds)).toEqual(ids(count))
  for (const { QueueUrl, Entries = [] } of calls) {
    expect(QueueUrl).toBe(queueUrl)
    expect(Entries.length).toBeLessThanOrEqual(10)
    expect(new Set(Entries.map(({ Id }) => Id)).size).toBe(Entries.length)
  }
})

test('the first 200 dispatches are due at once, then ten a second, and none later than SQS can wait', async () => {
  const { calls, runner } = aQueue()
  await runner.enqueue('bulk-1', ids(10_000))
  const delays = calls.flatMap(({ Entries = [] }) => Entries).map(({ DelaySeconds }) => DelaySeconds)
  expect(delays.slice(18, 24)).toEqual([0, 0, 0, 1, 2, 3])
  expect(delays.at(-1)).toBe(900)
  expect(Math.max(...delays.map(Number))).toBe(900)
})

test('a message that the queue did not take is an error', async () => {
  const { runner } = aQueue({ Failed: [{ Id: '3', Code: 'InternalError', SenderFault: false }] })
  await expect(runner.enqueue('bulk-1', ids(100))).rejects.toThrow('the queue did not take all of it: InternalError')
})
