import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
  SubmitJobCommand,
  TerminateJobsCommand,
} from '@aws-sdk/client-batch'
import { describe, expect, test } from 'vitest'
import type { BatchJobEvent } from '../../../lib/emulator/batch/local-batch-job.ts'
import type { LocalBatch } from '../../../lib/emulator/batch/local-batch-port.ts'
import { findProcesses } from '../../../lib/emulator/processes/process-tree.ts'
import { aBatch, aDirectory } from './a-batch.ts'

const anArray = (size: number, script: string) => ({
  jobName: 'an-array',
  jobQueue: 'default',
  jobDefinition: 'default',
  arrayProperties: { size },
  containerOverrides: { command: ['sh', '-c', script] },
})

async function submit(batch: LocalBatch, size: number, script = 'true'): Promise<string> {
  return (await batch.send(new SubmitJobCommand(anArray(size, script)))).jobId as string
}

async function describeJobs(batch: LocalBatch, ...jobs: string[]): Promise<JobDetail[]> {
  return (await batch.send(new DescribeJobsCommand({ jobs }))).jobs ?? []
}

const describeOne = async (batch: LocalBatch, jobId: string) => (await describeJobs(batch, jobId))[0] as JobDetail

const children = (parent: string, size: number) => Array.from({ length: size }, (_, index) => `${parent}:${index}`)

const statesOf = async (batch: LocalBatch, parent: string, size: number) =>
  (await describeJobs(batch, ...children(parent, size))).map(({ status }) => status)

const reach = (batch: LocalBatch, jobId: string, ...states: string[]) =>
  expect
    .poll(async () => (await describeOne(batch, jobId)).status, { interval: 10 })
    .toSatisfy((status: string) => states.includes(status))

const ended = async (batch: LocalBatch, jobId: string) => {
  await reach(batch, jobId, 'SUCCEEDED', 'FAILED')
  return describeOne(batch, jobId)
}

const terminate = (batch: LocalBatch, ...jobs: string[]) =>
  batch.send(new TerminateJobsCommand({ jobs, reason: 'the test says so' }))

const countLive = (...jobs: string[]) => [...findProcesses('AWS_BATCH_JOB_ID', new Set(jobs)).values()].flat().length

const waitFor = (flag: string) => `until [ -e ${flag} ]; do sleep 0.02; done`

describe('an array job', () => {
  test('runs its children as jobs of their own, each with its index', async () => {
    const batch = await aBatch()
    const seen = join(batch.directory, 'seen')
    const variables = '$AWS_BATCH_JOB_ID $AWS_BATCH_JOB_ARRAY_INDEX $AWS_BATCH_JOB_ARRAY_SIZE'
    const parent = await submit(batch, 3, `echo ${variables} >>${seen}`)
    const job = await ended(batch, parent)
    expect(job).toMatchObject({ status: 'SUCCEEDED', arrayProperties: { size: 3, statusSummary: { SUCCEEDED: 3 } } })
    const lines = readFileSync(seen, 'utf8').trim().split('\n').toSorted()
    expect(lines).toEqual(children(parent, 3).map((jobId, index) => `${jobId} ${index} 3`))
    for (const [index, jobId] of children(parent, 3).entries()) {
      expect(await describeOne(batch, jobId)).toMatchObject({
        jobName: 'an-array',
        status: 'SUCCEEDED',
        arrayProperties: { index },
        container: { exitCode: 0 },
      })
    }
    expect(job.stoppedAt).toBeGreaterThanOrEqual(job.createdAt ?? Number.POSITIVE_INFINITY)
  })

  test('is pending while its children wait for vCPUs and run', async () => {
    const batch = await aBatch({ vcpus: 2 })
    const flag = join(batch.directory, 'go')
    const parent = await submit(batch, 5, waitFor(flag))
    await expect
      .poll(async () => (await describeOne(batch, parent)).arrayProperties?.statusSummary)
      .toMatchObject({ RUNNING: 2, RUNNABLE: 3, SUCCEEDED: 0 })
    expect((await describeOne(batch, parent)).status).toBe('PENDING')
    writeFileSync(flag, '')
    expect(await ended(batch, parent)).toMatchObject({ status: 'SUCCEEDED' })
  })

  test('fails when one of its children does, once all have ended', async () => {
    const batch = await aBatch()
    const parent = await submit(batch, 4, 'exit $((AWS_BATCH_JOB_ARRAY_INDEX == 2))')
    const job = await ended(batch, parent)
    expect(job).toMatchObject({ status: 'FAILED', arrayProperties: { statusSummary: { SUCCEEDED: 3, FAILED: 1 } } })
    expect(job.isTerminated).toBeUndefined()
    expect(await statesOf(batch, parent, 4)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'FAILED', 'SUCCEEDED'])
  })

  test('is listed by its name, and its children are not', async () => {
    const batch = await aBatch()
    const parent = await submit(batch, 3)
    await ended(batch, parent)
    for (const value of ['an-array', 'an-*']) {
      const filters = [{ name: 'JOB_NAME', values: [value] }]
      const { jobSummaryList } = await batch.send(new ListJobsCommand({ jobQueue: 'default', filters }))
      expect(jobSummaryList).toMatchObject([{ jobId: parent, arrayProperties: { size: 3 } }])
    }
    const done = await batch.send(new ListJobsCommand({ jobQueue: 'default', jobStatus: 'SUCCEEDED' }))
    expect(done.jobSummaryList).toHaveLength(1)
  })

  test('is told of as its children are, each with its place', async () => {
    const events: BatchJobEvent[] = []
    const batch = await aBatch({ onEvent: (event) => events.push(event) })
    const parent = await submit(batch, 2)
    await ended(batch, parent)
    const told = (jobId: string) => events.filter(({ detail }) => detail.jobId === jobId).map(({ detail }) => detail)
    expect(told(parent).map(({ status }) => status)).toEqual(['PENDING', 'SUCCEEDED'])
    expect(told(parent)[1]?.arrayProperties).toMatchObject({ size: 2, statusSummary: { SUCCEEDED: 2 } })
    for (const index of [0, 1]) {
      const child = told(`${parent}:${index}`)
      expect(child.map(({ status }) => status)).toEqual(['RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED'])
      expect(child[0]).toMatchObject({ jobName: 'an-array', arrayProperties: { index } })
    }
  })
})

describe('TerminateJobs', () => {
  test('of one child, running or waiting, leaves the others alone', async () => {
    const batch = await aBatch({ vcpus: 2 })
    const flag = join(batch.directory, 'go')
    const parent = await submit(batch, 4, waitFor(flag))
    await reach(batch, `${parent}:1`, 'RUNNING')
    expect(await terminate(batch, `${parent}:0`, `${parent}:3`)).toMatchObject({ errors: [] })
    expect(await ended(batch, `${parent}:0`)).toMatchObject({ status: 'FAILED', isTerminated: true })
    expect(await describeOne(batch, `${parent}:3`)).toMatchObject({ status: 'FAILED', isCancelled: true })
    await reach(batch, `${parent}:2`, 'RUNNING')
    expect((await describeOne(batch, parent)).status).toBe('PENDING')
    writeFileSync(flag, '')
    expect(await ended(batch, parent)).toMatchObject({ status: 'FAILED', statusReason: 'Array Child Job failed' })
    expect(await statesOf(batch, parent, 4)).toEqual(['FAILED', 'SUCCEEDED', 'SUCCEEDED', 'FAILED'])
  })

  test('of the parent stops all children, and what has ended keeps its end', async () => {
    const batch = await aBatch({ vcpus: 2 })
    const parent = await submit(batch, 6, '[ $AWS_BATCH_JOB_ARRAY_INDEX = 0 ] || { trap "" TERM; sleep 60; sleep 60; }')
    await reach(batch, `${parent}:0`, 'SUCCEEDED')
    await reach(batch, `${parent}:2`, 'RUNNING')
    expect(await terminate(batch, parent)).toMatchObject({ successful: [parent] })
    const job = await ended(batch, parent)
    expect(job).toMatchObject({ status: 'FAILED', isTerminated: true, statusReason: 'the test says so' })
    expect(await statesOf(batch, parent, 6)).toEqual(['SUCCEEDED', ...Array.from({ length: 5 }, () => 'FAILED')])
    expect(await describeOne(batch, `${parent}:1`)).toMatchObject({ isTerminated: true })
    expect(await describeOne(batch, `${parent}:5`)).toMatchObject({ isCancelled: true })
    expect(countLive(...children(parent, 6))).toBe(0)
    await terminate(batch, parent, `${parent}:1`)
    expect(await describeOne(batch, parent)).toEqual(job)
  })

  test('of a child that never was is done, as of any job that is not found', async () => {
    const batch = await aBatch()
    const parent = await submit(batch, 2)
    expect(await terminate(batch, `${parent}:7`)).toMatchObject({ successful: [`${parent}:7`], errors: [] })
    expect(await describeJobs(batch, `${parent}:7`)).toEqual([])
  })
})

test('an array of 1,000 is one record in the journal, and stopped by one call', async () => {
  const batch = await aBatch()
  const journal = join(batch.directory, 'jobs.jsonl')
  const parent = await submit(batch, 1000, `sleep 300 # ${'x'.repeat(10_000)}`)
  expect(statSync(journal).size).toBeLessThan(15_000)
  await reach(batch, `${parent}:3`, 'RUNNING')
  await terminate(batch, parent)
  expect((await ended(batch, parent)).arrayProperties?.statusSummary).toMatchObject({ FAILED: 1000 })
  expect(countLive(...children(parent, 1000))).toBe(0)
  expect(statSync(journal).size).toBeLessThan(300_000)
})

describe('a restart', () => {
  test('takes up what runs, starts what waits, and keeps what has ended', async () => {
    const first = await aBatch({ vcpus: 2 })
    const ran = join(first.directory, 'ran')
    const flag = join(first.directory, 'go')
    const script = `echo $AWS_BATCH_JOB_ARRAY_INDEX >> ${ran}; [ $AWS_BATCH_JOB_ARRAY_INDEX = 0 ] || ${waitFor(flag)}`
    const parent = await submit(first, 5, script)
    await reach(first, `${parent}:0`, 'SUCCEEDED')
    for (const index of [1, 2]) await reach(first, `${parent}:${index}`, 'RUNNING')
    await first.close({ detachJobs: true })

    const second = await aBatch({ directory: first.directory, vcpus: 2 })
    expect(await describeOne(second, parent)).toMatchObject({ status: 'PENDING', arrayProperties: { size: 5 } })
    expect(await statesOf(second, parent, 5)).toEqual(['SUCCEEDED', 'RUNNING', 'RUNNING', 'RUNNABLE', 'RUNNABLE'])
    writeFileSync(flag, '')
    expect(await ended(second, parent)).toMatchObject({ status: 'SUCCEEDED' })
    expect(readFileSync(ran, 'utf8').trim().split('\n').toSorted()).toEqual(['0', '1', '2', '3', '4'])
    await second.close({ detachJobs: true })

    const third = await aBatch({ directory: first.directory })
    expect(await describeOne(third, parent)).toMatchObject({ status: 'SUCCEEDED' })
  })

  test('goes on with a termination, and ends the array whose children ended meanwhile', async () => {
    const first = await aBatch({ vcpus: 2, stopTimeoutSeconds: 60 })
    const parent = await submit(first, 4, 'trap "" TERM; while :; do sleep 60; done')
    const running = children(parent, 2)
    // Each with its shell and its sleep: then the trap is set.
    await expect.poll(() => countLive(...running)).toBe(6)
    await terminate(first, parent)
    await first.close({ detachJobs: true })
    const second = await aBatch({ directory: first.directory })
    expect(await ended(second, parent)).toMatchObject({ status: 'FAILED', isTerminated: true })
    expect(countLive(...running)).toBe(0)
  })

  test('after kill -9 in the middle of many starts runs every child once', async () => {
    const directory = aDirectory()
    const [program, ran] = [join(directory, 'region.ts'), join(directory, 'ran')]
    const library = new URL('../../../lib/emulator/batch/local-batch.ts', import.meta.url)
    writeFileSync(
      program,
      `import { SubmitJobCommand } from ${JSON.stringify(import.meta.resolve('@aws-sdk/client-batch'))}
       import { createLocalBatch } from ${JSON.stringify(library.href)}
       const batch = createLocalBatch({ directory: ${JSON.stringify(directory)}, vcpus: 4 })
       await batch.start()
       const input = ${JSON.stringify(anArray(40, `echo $AWS_BATCH_JOB_ARRAY_INDEX >> ${ran}`))}
       console.log((await batch.send(new SubmitJobCommand(input))).jobId)`,
    )
    const region = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(region.stdout, 'data')
    await expect.poll(() => existsSync(ran), { interval: 2 }).toBe(true)
    region.kill('SIGKILL')
    await once(region, 'exit')
    const batch = await aBatch({ directory })
    expect(await ended(batch, String(line).trim())).toMatchObject({ status: 'SUCCEEDED' })
    const indexes = readFileSync(ran, 'utf8').trim().split('\n').map(Number)
    expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index))
  })

  test('after a week has forgotten the array, its children and what they left', async () => {
    const first = await aBatch()
    const parent = await submit(first, 3)
    await ended(first, parent)
    await first.close({ detachJobs: true })
    const weekLater = Date.now() + 8 * 24 * 3600 * 1000
    const second = await aBatch({ directory: first.directory, now: () => weekLater })
    expect(await describeJobs(second, parent, `${parent}:0`)).toEqual([])
    expect(readdirSync(join(first.directory, 'logs'))).toEqual([])
    expect(statSync(join(first.directory, 'jobs.jsonl')).size).toBe(0)
  })
})
