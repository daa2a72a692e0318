import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetLogEventsCommand, type GetLogEventsCommandInput } from '@aws-sdk/client-cloudwatch-logs'
import { afterAll, expect, test } from 'vitest'
import { createFaults } from '../../../lib/emulator/faults.ts'
import { createLocalLogs } from '../../../lib/emulator/logs/local-logs.ts'

const directory = mkdtempSync(join(tmpdir(), 'quench-logs-'))
mkdirSync(join(directory, 'logs'))
afterAll(() => rmSync(directory, { recursive: true }))

const ended = new Set<string>()
const logs = createLocalLogs({
  directory,
  faults: createFaults(),
  batch: {
    send: (async ({ input }: { input: { jobs: string[] } }) => ({
      jobs: input.jobs.map((jobId) => ({ jobId, status: ended.has(jobId) ? 'FAILED' : 'RUNNING' })),
    })) as never,
  },
})

const read = async (jobId: string, more: Partial<GetLogEventsCommandInput> = {}) => {
  const logStreamName = `default/default/${jobId}`
  const input = { logGroupName: '/aws/batch/job', logStreamName, startFromHead: true, ...more }
  const { events = [], nextForwardToken } = await logs.send(new GetLogEventsCommand(input))
  return { lines: events.map(({ message }) => message), nextForwardToken }
}

test('lines are events; one without an end only when the job has ended', async () => {
  const file = join(directory, 'logs', 'a:1')
  await writeFile(file, 'one\n\ntw')
  const first = await read('a:1')
  expect(first.lines).toEqual(['one', ''])
  await appendFile(file, 'o\nend')
  const second = await read('a:1', { nextToken: first.nextForwardToken })
  expect(second.lines).toEqual(['two'])
  ended.add('a:1')
  expect((await read('a:1', { nextToken: second.nextForwardToken })).lines).toEqual(['end'])
})

test('at the end the token comes back', async () => {
  await writeFile(join(directory, 'logs', 'b'), 'one\ntwo\n')
  const { nextForwardToken, lines } = await read('b', { limit: 1 })
  expect(lines).toEqual(['one'])
  const rest = await read('b', { nextToken: nextForwardToken })
  expect(await read('b', { nextToken: rest.nextForwardToken })).toEqual({
    lines: [],
    nextForwardToken: rest.nextForwardToken,
  })
})

test('a line longer than a page is cut', async () => {
  const size = 2.5 * 1024 * 1024
  await writeFile(join(directory, 'logs', 'c'), `${'x'.repeat(size)}\n`)
  const first = await read('c')
  const second = await read('c', { nextToken: first.nextForwardToken })
  const third = await read('c', { nextToken: second.nextForwardToken })
  expect([first, second, third].map(({ lines }) => lines[0]?.length)).toEqual([2 ** 20, 2 ** 20, 2 ** 19])
})

test('streams and groups that are not there are named as the service names them', async () => {
  await expect(read('nobody')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  await expect(read('b', { logGroupName: 'other' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
})
