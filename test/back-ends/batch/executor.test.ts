import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BatchClient, SubmitJobCommandInput, TerminateJobsErrorDetail } from '@aws-sdk/client-batch'
import { describe, expect, test } from 'vitest'
import { createBatchExecutor } from '../../../lib/back-ends/batch/executor.ts'
import { type BatchJobState, observeBatchJob } from '../../../lib/back-ends/batch/observe.ts'
import { BackendRejected, BackendUnavailable } from '../../../lib/domain/errors.ts'
import { createLocalBatch } from '../../../lib/emulator/batch/local-batch.ts'
import { createFaults } from '../../../lib/emulator/faults.ts'
import { findProcesses } from '../../../lib/emulator/processes/process-tree.ts'
import {
  aJobSpec,
  connectionLost,
  describeExecutor,
  type JobKind,
  throttled,
} from '../../contracts/executor-contract.ts'
import { findJob } from '../../support/find-job.ts'

const commands: Record<JobKind, string[]> = {
  quick: ['true'],
  failing: ['sh', '-c', 'exit 3'],
  long: ['sleep', '300'],
  queued: ['true'],
}

const aHandle = (jobId: string = randomUUID()) => ({ jobId, jobQueue: 'default', name: 'quench-x' })

const handles = (count: number) => Array.from({ length: count }, () => aHandle())

describeExecutor('batch', {
  adopts: false,
  queues: true,
  packs: true,
  start: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'quench-batch-'))
    const server = randomUUID()
    const faults = createFaults()
    const batch = createLocalBatch({
      directory,
      vcpus: 16,
      stopTimeoutSeconds: 1,
      environment: { QUENCH_SERVER: server },
      faults,
    })
    await batch.start()
    const executor = createBatchExecutor({ batch, submitter: batch })
    return {
      executor,
      job: (kind) => {
        const options = { command: commands[kind], ...(kind === 'queued' ? { vcpus: 1000 } : {}) }
        return aJobSpec({ options: executor.optionsSchema.parse(options) })
      },
      script: (text) => ({ command: ['sh', '-c', text] }),
      unknownHandles: (calls) => handles(calls === 1 ? 2 : 150),
      countLive: () => findProcesses('QUENCH_SERVER', new Set([server])).get(server)?.length ?? 0,
      stop: async () => {
        await batch.close({ detachJobs: false })
        rmSync(directory, { recursive: true })
      },
      calls: { faults, submit: 'SubmitJob', poll: 'DescribeJobs', cancel: 'TerminateJobs' },
    }
  },
})

/** A Batch that gives recorded answers, and keeps what it was asked. */
function aBatch(answer: (name: string, input: Record<string, unknown>) => unknown) {
  const asked: { name: string; input: Record<string, unknown> }[] = []
  const send = async (command: { input: Record<string, unknown>; constructor: { name: string } }) => {
    const name = command.constructor.name.replace('Command', '')
    asked.push({ name, input: command.input })
    return answer(name, command.input)
  }
  const batch = { send: send as unknown as BatchClient['send'] }
  return { executor: createBatchExecutor({ batch, submitter: batch }), asked }
}

const request = { mode: 'graceful', reason: 'budget' } as const

describe('what Batch says about a job', () => {
  const at = { startedAt: 1000, stoppedAt: 2000 }
  const end = { startedAt: 1000, endedAt: 2000 }
  const cases: [string, BatchJobState, object][] = [
    ['SUBMITTED is queued', { status: 'SUBMITTED' }, { state: 'queued' }],
    ['PENDING is queued', { status: 'PENDING' }, { state: 'queued' }],
    ['RUNNABLE is queued', { status: 'RUNNABLE' }, { state: 'queued' }],
    ['STARTING is queued', { status: 'STARTING' }, { state: 'queued' }],
    ['RUNNING is running', { status: 'RUNNING', startedAt: 1000 }, { state: 'running', startedAt: 1000 }],
    [
      'SUCCEEDED is succeeded, also with a mark of a cancel that came late',
      { status: 'SUCCEEDED', ...at, isTerminated: true, container: { exitCode: 0 } },
      { state: 'succeeded', ...end, exitCode: 0 },
    ],
    [
      'FAILED after TerminateJobs is cancelled',
      { status: 'FAILED', ...at, isTerminated: true, statusReason: 'budget', container: { exitCode: 143 } },
      { state: 'cancelled', ...end, exitCode: 143 },
    ],
    [
      'FAILED before it started, by a cancel, is cancelled without a start',
      { status: 'FAILED', isCancelled: true, stoppedAt: 2000 },
      { state: 'cancelled', endedAt: 2000 },
    ],
    [
      'FAILED by its own exit code is failed for good',
      { status: 'FAILED', ...at, statusReason: 'Essential container in task exited', container: { exitCode: 3 } },
      { state: 'failed', ...end, exitCode: 3, failure: { code: 'NonZeroExit', retryable: false, source: 'batch' } },
    ],
    [
      'FAILED with its host is worth a retry',
      { status: 'FAILED', ...at, statusReason: 'Host EC2 (instance i-0123456789abcdef0) terminated.' },
      { state: 'failed', ...end, failure: { code: 'HostLost', retryable: true } },
    ],
    [
      'FAILED before its container came up is worth a retry',
      { status: 'FAILED', stoppedAt: 2000, statusReason: 'Task failed to start' },
      { state: 'failed', endedAt: 2000, failure: { code: 'StartFailed', retryable: true } },
    ],
    [
      'FAILED by its time-out is failed for good',
      { status: 'FAILED', ...at, statusReason: 'Job attempt duration exceeded timeout', container: { exitCode: 137 } },
      { state: 'failed', ...end, exitCode: 137, failure: { code: 'TimedOut', retryable: false } },
    ],
    [
      'FAILED out of memory is failed for good',
      { status: 'FAILED', ...at, container: { exitCode: 137, reason: 'OutOfMemoryError: Container killed' } },
      { state: 'failed', ...end, exitCode: 137, failure: { code: 'OutOfMemory', retryable: false } },
    ],
    [
      'FAILED without a word is failed, with a message all the same',
      { status: 'FAILED', stoppedAt: 2000 },
      { state: 'failed', endedAt: 2000, failure: { code: 'JobFailed', message: 'Batch gave no reason' } },
    ],
    [
      'times and exit code that only the attempt has count',
      { status: 'FAILED', attempts: [{ ...at, container: { exitCode: 4, reason: 'oops' } }] },
      { state: 'failed', ...end, exitCode: 4, failure: { message: 'oops; exit code 4' } },
    ],
  ]
  test.each(cases)('%s', (_, detail, expected) => {
    expect(observeBatchJob(detail)).toMatchObject(expected)
  })
})

describe('a submit', () => {
  const submitted = async (options: object, spec: object = {}) => {
    const { executor, asked } = aBatch(() => ({ jobId: 'job-1' }))
    await executor.submit(aJobSpec({ options: executor.optionsSchema.parse(options), ...spec }))
    return asked[0]?.input as unknown as SubmitJobCommandInput
  }

  test('asks for the resources that the options name', async () => {
    const input = await submitted({ command: ['a'], jobQueue: 'gpu', vcpus: 0.5, memoryMiB: 512, gpus: 1 })
    expect(input).toMatchObject({ jobQueue: 'gpu', jobDefinition: 'default', retryStrategy: { attempts: 1 } })
    expect(input.containerOverrides?.resourceRequirements).toEqual([
      { type: 'VCPU', value: '0.5' },
      { type: 'MEMORY', value: '512' },
      { type: 'GPU', value: '1' },
    ])
  })

  test("puts the attempt's environment over the task's own", async () => {
    const environment = { A: 'ours' }
    const input = await submitted({ command: ['a'], environment: { A: 'theirs', B: 'b' } }, { environment })
    expect(input.containerOverrides?.environment).toEqual([
      { name: 'A', value: 'ours' },
      { name: 'B', value: 'b' },
    ])
  })

  test.each([
    [undefined, 86_400],
    [5, 60],
    [600, 600],
  ])('always has a time-out: %s seconds become %s', async (timeoutSeconds, attemptDurationSeconds) => {
    const input = await submitted({ command: ['a'] }, timeoutSeconds === undefined ? {} : { timeoutSeconds })
    expect(input.timeout).toEqual({ attemptDurationSeconds })
  })

  test('tags the job with its dispatch and task', async () => {
    const input = await submitted({ command: ['a'] }, { dispatchId: 'd', taskId: 3 })
    expect(input).toMatchObject({ tags: { 'quench:dispatch': 'd', 'quench:task': '3' }, propagateTags: true })
  })

  test('of more than 30 KiB is refused before the call, and says why', async () => {
    const { executor, asked } = aBatch(() => ({ jobId: 'job-1' }))
    const options = executor.optionsSchema.parse({ command: ['x'.repeat(31 * 1024)] })
    const error = await executor.submit(aJobSpec({ options })).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(BackendRejected)
    expect((error as Error).message).toMatch(/SubmitJob takes 30 KiB/)
    expect(asked).toEqual([])
  })

  const serverFault = Object.assign(new Error('oops'), { $fault: 'server', $metadata: { httpStatusCode: 500 } })
  const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
  const clientFault = Object.assign(new Error('no queue'), { $fault: 'client', $metadata: { httpStatusCode: 400 } })
  test.each([
    ['a throttled call', throttled(), BackendUnavailable, 'no'],
    ['a refused connection', refused, BackendUnavailable, 'no'],
    ['a server error', serverFault, BackendUnavailable, 'unknown'],
    ['a broken connection', connectionLost(), BackendUnavailable, 'unknown'],
    ['a client error', clientFault, BackendRejected, undefined],
  ])('knows what became of %s', async (_, thrown, type, arrived) => {
    const { executor } = aBatch(() => Promise.reject(thrown))
    const error = await executor.submit(aJobSpec({ options: { command: ['a'] } })).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(type)
    expect((error as BackendUnavailable).arrived).toBe(arrived)
    expect((error as Error).cause).toBe(thrown)
  })
})

describe('options', () => {
  const { optionsSchema } = aBatch(() => ({})).executor
  test.each([
    ['no command', {}],
    ['an empty command', { command: [] }],
    ['a reserved variable', { command: ['a'], environment: { AWS_BATCH_JOB_ID: 'x' } }],
    ['half a gpu', { command: ['a'], gpus: 0.5 }],
    ['no vcpus', { command: ['a'], vcpus: 0 }],
  ])('with %s are refused', (_, options) => {
    expect(optionsSchema.safeParse(options).success).toBe(false)
  })
})

describe('find', () => {
  const list = (jobName: string, jobId: string, createdAt: number) => ({ jobName, jobId, createdAt })
  const page = (jobs: object[], nextToken?: string) => ({ jobSummaryList: jobs, nextToken })

  test('takes the newest of the jobs with exactly that name, over all pages', async () => {
    const { executor, asked } = aBatch((_, { nextToken }) =>
      nextToken
        ? page([list('quench-x', 'newest', 5), list('QUENCH-X', 'other case', 9)])
        : page([list('quench-x', 'older', 1), list('quench-x-1', 'longer', 9)], 'more'),
    )
    const spec = aJobSpec({ name: 'quench-x', options: executor.optionsSchema.parse({ command: ['a'] }) })
    expect(await findJob(executor, spec)).toEqual({ jobId: 'newest', jobQueue: 'default', name: 'quench-x' })
    expect(asked.map(({ input }) => input)).toEqual([
      { jobQueue: 'default', filters: [{ name: 'JOB_NAME', values: ['quench-x'] }] },
      { jobQueue: 'default', filters: [{ name: 'JOB_NAME', values: ['quench-x'] }], nextToken: 'more' },
    ])
  })
})

describe('calls in bulk', () => {
  test.each([
    [0, []],
    [1, [1]],
    [100, [100]],
    [101, [100, 1]],
  ])('describe %s jobs in calls of %j', async (count, sizes) => {
    const { executor, asked } = aBatch(() => ({ jobs: [] }))
    expect(await executor.poll(handles(count))).toEqual(handles(count).map(() => ({ state: 'lost' })))
    expect(asked.map(({ input }) => (input.jobs as string[]).length)).toEqual(sizes)
  })

  test.each([
    [0, []],
    [1, [1]],
    [50, [50]],
    [51, [50, 1]],
    [101, [50, 50, 1]],
  ])('terminate %s jobs in calls of %j', async (count, sizes) => {
    const { executor, asked } = aBatch(() => ({ successful: [], errors: [] }))
    expect(await executor.cancel(handles(count), request)).toEqual(handles(count).map(() => ({ outcome: 'accepted' })))
    expect(asked.map(({ input }) => (input.jobs as string[]).length)).toEqual(sizes)
  })

  test('name a job once, and answer it as often as asked', async () => {
    const { executor, asked } = aBatch(() => ({ jobs: [{ jobId: 'a', status: 'RUNNABLE' }] }))
    const observations = await executor.poll([aHandle('a'), aHandle('b'), aHandle('a')])
    expect(observations.map(({ state }) => state)).toEqual(['queued', 'lost', 'queued'])
    expect(asked[0]?.input.jobs).toEqual(['a', 'b'])
  })

  test('cut a reason to the 1,024 characters that Batch keeps', async () => {
    const { executor, asked } = aBatch(() => ({ errors: [] }))
    await executor.cancel(handles(1), { mode: 'force', reason: 'r'.repeat(2000) })
    expect(asked[0]?.input.reason).toHaveLength(1024)
  })

  test.each([
    ['ValidationException', 'unknown'],
    ['ClientException', 'failed'],
    ['ThrottlingException', 'failed'],
    ['ServerException', 'failed'],
    ['AccessDenied', 'failed'],
  ])('in which one job fails with %s make it %s and leave the others accepted', async (code, outcome) => {
    const errors: TerminateJobsErrorDetail[] = [{ job: 'b', code, message: 'no' }]
    const { executor } = aBatch(() => ({ successful: ['a', 'c'], errors }))
    const outcomes = await executor.cancel([aHandle('a'), aHandle('b'), aHandle('c')], request)
    expect(outcomes).toEqual([{ outcome: 'accepted' }, { outcome, message: `${code}: no` }, { outcome: 'accepted' }])
  })

  test('of which none goes through throw what the first threw', async () => {
    const { executor } = aBatch(() => Promise.reject(throttled()))
    await expect(executor.poll(handles(250))).rejects.toMatchObject({ arrived: 'no' })
    await expect(executor.cancel(handles(250), request)).rejects.toMatchObject({ arrived: 'no' })
  })
})
