import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BraketClient, CreateJobCommandInput } from '@aws-sdk/client-braket'
import { describe, expect, test } from 'vitest'
import { observeHybridJob } from '../../../lib/back-ends/braket/observe.ts'
import { type BraketJobOptions, createBraketJobExecutor } from '../../../lib/back-ends/braket-job/executor.ts'
import { hybridJobName, parseHybridJobName } from '../../../lib/back-ends/braket-job/job-name.ts'
import { BackendRejected, BackendUnavailable } from '../../../lib/domain/errors.ts'
import { jobName } from '../../../lib/domain/job-name.ts'
import { createLocalBraket } from '../../../lib/emulator/braket/local-braket.ts'
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
import { aJumpingClock } from '../braket/jumping-clock.ts'

const busyQpu = 'arn:aws:braket:us-east-1::device/qpu/test/Busy'
const output = { bucket: 'amazon-braket-test', keyPrefix: 'jobs' }
const roleArn = 'arn:aws:iam::000000000000:role/hybrid-jobs'
const scripts: Record<JobKind, string> = {
  quick: 'true',
  failing: 'exit 3',
  long: 'sleep 300 & wait',
  queued: 'true',
}

describeExecutor('braket-job', {
  adopts: true,
  queues: true,
  start: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'quench-braket-job-'))
    for (const [kind, script] of Object.entries(scripts)) writeFileSync(join(directory, `${kind}.sh`), script)
    const server = randomUUID()
    const faults = createFaults()
    const queueSeconds = (device: string) => (device === busyQpu ? 3600 : 0)
    const braket = createLocalBraket({
      directory,
      queueSeconds,
      environment: { QUENCH_SERVER: server },
      stopTimeoutSeconds: 1,
      faults,
    })
    await braket.start()
    const executor = createBraketJobExecutor({
      braketIn: () => braket,
      output,
      roleArn,
      devices: { busy: busyQpu },
      quotaFactor: 1000,
    })
    const unknown = () => ({ ...aHandle(), arn: `arn:aws:braket:local-1:000000000000:job/${randomUUID()}` })
    return {
      executor,
      job: (kind) => {
        const entry = { sourceUri: pathToFileURL(directory).href, entryPoint: `${kind}.sh` }
        const options = { ...entry, ...(kind === 'queued' && { device: 'busy' }) }
        return aJobSpec({ options: executor.optionsSchema.parse(options) })
      },
      unknownHandles: (calls) => (calls === 1 ? [unknown()] : [unknown(), unknown(), unknown()]),
      countLive: () => findProcesses('QUENCH_SERVER', new Set([server])).get(server)?.length ?? 0,
      stop: async () => {
        await braket.close({ detachJobs: false })
        rmSync(directory, { recursive: true })
      },
      calls: { faults, submit: 'CreateJob', poll: 'GetJob', cancel: 'CancelJob' },
    }
  },
})

const aHandle = (overrides: object = {}) => ({
  kind: 'hybrid-job',
  arn: 'arn:aws:braket:us-east-1:123456789012:job/1',
  name: 'quench-x',
  ...overrides,
})

/** A Braket that gives recorded answers, and keeps what it was asked. */
function aBraket(
  answer: (name: string, input: Record<string, unknown>) => unknown,
  options: Partial<BraketJobOptions> = {},
) {
  const asked: { name: string; input: Record<string, unknown> }[] = []
  const send = async (command: { input: Record<string, unknown>; constructor: { name: string } }) => {
    const name = command.constructor.name.replace('Command', '')
    asked.push({ name, input: command.input })
    return answer(name, command.input)
  }
  const braketIn = () => ({ send: send as unknown as BraketClient['send'] })
  return { executor: createBraketJobExecutor({ braketIn, output, roleArn, ...options }), asked }
}

/** What the SDK throws for an answer that is an error. */
const refused = (name: string, message = 'no') =>
  Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } })

const force = { mode: 'force', reason: 'budget' } as const
const script = { sourceUri: 's3://bucket/algorithm', entryPoint: 'algorithm:start' }

describe('the name of a hybrid job', () => {
  const longest = { dispatchId: randomUUID(), taskId: 99_999, attempt: 999 }

  test('fits where the name of a job does not, and leads back to it', () => {
    expect(jobName(longest).length).toBeGreaterThan(50)
    expect(hybridJobName(longest).length).toBeLessThanOrEqual(50)
    expect(hybridJobName(longest)).toMatch(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,50}$/)
    expect(parseHybridJobName(hybridJobName(longest))).toEqual(longest)
  })

  test.each(['quench-1-2-3', 'somebody-elses-job', `quench-${'g'.repeat(32)}-1-1`, ''])('is not "%s"', (name) => {
    expect(parseHybridJobName(name)).toBeUndefined()
  })
})

describe('what Braket says about a hybrid job', () => {
  const at = { startedAt: new Date(1000), endedAt: new Date(2000) }
  const times = { startedAt: 1000, endedAt: 2000 }
  const overrun = { events: [{ eventType: 'MAX_RUNTIME_EXCEEDED' as const }] }
  const failure = (code: string, retryable: boolean) => ({ code, retryable, source: 'braket-job' })
  test.each([
    ['QUEUED is queued', { status: 'QUEUED' }, { state: 'queued' }],
    ['RUNNING is running', { status: 'RUNNING', startedAt: at.startedAt }, { state: 'running', startedAt: 1000 }],
    ['CANCELLING is running still', { status: 'CANCELLING', startedAt: at.startedAt }, { state: 'running' }],
    ['CANCELLING before it ran is queued still', { status: 'CANCELLING' }, { state: 'queued' }],
    ['COMPLETED is succeeded', { status: 'COMPLETED', ...at }, { state: 'succeeded', ...times }],
    ['CANCELLED is cancelled', { status: 'CANCELLED', ...at }, { state: 'cancelled', ...times }],
    [
      'CANCELLED for its run time is a failure',
      { status: 'CANCELLED', ...at, ...overrun },
      { state: 'failed', ...times, failure: { ...failure('TimedOut', false), message: 'Max runtime exceeded' } },
    ],
    [
      'FAILED for its run time is a failure for good',
      { status: 'FAILED', ...at, ...overrun, failureReason: 'too long' },
      { state: 'failed', failure: { ...failure('TimedOut', false), message: 'too long' } },
    ],
    [
      'FAILED by its own exit code has it',
      { status: 'FAILED', ...at, failureReason: 'AlgorithmError: oops, exit code: 3' },
      { state: 'failed', exitCode: 3, failure: failure('NonZeroExit', false) },
    ],
    [
      'FAILED otherwise is failed for good',
      { status: 'FAILED', failureReason: 'ClientError: no such bucket' },
      { state: 'failed', failure: failure('JobFailed', false) },
    ],
    [
      'FAILED with its host is worth a retry',
      { status: 'FAILED', failureReason: 'InternalServerError: We encountered an internal error.' },
      { state: 'failed', failure: failure('HostLost', true) },
    ],
    [
      'FAILED for want of a machine is worth a retry',
      { status: 'FAILED', failureReason: 'CapacityError: Unable to provision requested ML compute capacity.' },
      { state: 'failed', failure: failure('StartFailed', true) },
    ],
    [
      'FAILED without a word has a message all the same',
      { status: 'FAILED' },
      { failure: { message: 'Braket gave no reason' } },
    ],
    ['a state that is new says nothing', { status: 'DREAMING' }, { state: 'unknown', failure: { retryable: true } }],
  ])('%s', (_, job, expected) => {
    expect(observeHybridJob(job)).toMatchObject(expected)
  })
})

describe('a submit', () => {
  const submitted = async (options: object, spec: object = {}) => {
    const { executor, asked } = aBraket(() => ({ jobArn: 'arn:job' }))
    const job = aJobSpec({ options: executor.optionsSchema.parse(options), ...spec })
    const handle = await executor.submit(job)
    return { job, handle, input: asked[0]?.input as unknown as CreateJobCommandInput }
  }

  test('creates a hybrid job under its short name, with the name as token', async () => {
    const { job, handle, input } = await submitted(script)
    expect(handle).toEqual({ kind: 'hybrid-job', arn: 'arn:job', name: job.name })
    expect(input).toMatchObject({
      clientToken: job.name,
      jobName: hybridJobName(job),
      deviceConfig: { device: 'arn:aws:braket:::device/quantum-simulator/amazon/sv1' },
      algorithmSpecification: {
        scriptModeConfig: { s3Uri: script.sourceUri, entryPoint: script.entryPoint, compressionType: 'NONE' },
      },
      instanceConfig: { instanceType: 'ml.m5.large', instanceCount: 1, volumeSizeInGb: 30 },
      outputDataConfig: { s3Path: `s3://amazon-braket-test/jobs/${job.name}` },
      roleArn,
      tags: { 'quench:dispatch': job.dispatchId, 'quench:task': '7', 'quench:job': job.name },
    })
  })

  test('passes image, input data and role on', async () => {
    const inputData = [{ channelName: 'graph', uri: 's3://b/graph', contentType: 'text/csv' }]
    const { input } = await submitted({ image: 'my.ecr/image:1', inputData, roleArn: 'arn:aws:iam::1:role/mine' })
    expect(input).toMatchObject({
      algorithmSpecification: { containerImage: { uri: 'my.ecr/image:1' } },
      inputDataConfig: [
        { channelName: 'graph', dataSource: { s3DataSource: { s3Uri: 's3://b/graph' } }, contentType: 'text/csv' },
      ],
      roleArn: 'arn:aws:iam::1:role/mine',
    })
    expect(input.algorithmSpecification).not.toHaveProperty('scriptModeConfig')
  })

  test("puts the attempt's variables over the task's own hyperparameters, and leaves out empty ones", async () => {
    const environment = { QUENCH_RESULT: 's3://r/1', EMPTY: '' }
    const { input } = await submitted({ ...script, hyperParameters: { layers: '3' } }, { environment })
    expect(input.hyperParameters).toEqual({ layers: '3', QUENCH_RESULT: 's3://r/1' })
  })

  test.each([
    [undefined, 86_400],
    [5, 5],
    [1_000_000, 432_000],
  ])('always has a stopping condition: %s seconds become %s', async (timeoutSeconds, maxRuntimeInSeconds) => {
    const { input } = await submitted(script, timeoutSeconds === undefined ? {} : { timeoutSeconds })
    expect(input.stoppingCondition).toEqual({ maxRuntimeInSeconds })
  })

  test('is refused where a variable is longer than a hyperparameter may be', async () => {
    const submit = submitted(script, { environment: { QUENCH_INPUTS: 'x'.repeat(2501) } })
    await expect(submit).rejects.toThrow('QUENCH_INPUTS has 2501 characters; a hyperparameter takes 2500')
    await expect(submit).rejects.toBeInstanceOf(BackendRejected)
  })

  test('is refused where there are too many hyperparameters', async () => {
    const hyperParameters = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`p${n}`, '1']))
    await expect(submitted({ ...script, hyperParameters })).rejects.toThrow('CreateJob takes 100')
  })

  test.each([
    ['a throttled call', throttled(), BackendUnavailable, 'no'],
    ['three jobs that run already', refused('ServiceQuotaExceededException'), BackendUnavailable, 'no'],
    ['a broken connection', connectionLost(), BackendUnavailable, 'unknown'],
    ['a wrong request', refused('ValidationException'), BackendRejected, undefined],
  ])('knows what became of %s', async (_, thrown, type, arrived) => {
    const { executor } = aBraket(() => Promise.reject(thrown))
    const job = aJobSpec({ options: executor.optionsSchema.parse(script) })
    const error = await executor.submit(job).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(type)
    expect((error as BackendUnavailable).arrived).toBe(arrived)
  })
})

describe('options', () => {
  const { optionsSchema } = aBraket(() => ({})).executor
  test.each([
    ['nothing to run', {}],
    ['a source without entry point', { sourceUri: 's3://b/k' }],
    ['an entry point without source', { image: 'i', entryPoint: 'main' }],
    ['a hyperparameter of ours', { ...script, hyperParameters: { QUENCH_JOB: 'x' } }],
    ['a machine that nobody knows', { ...script, instanceType: 'ml.big' }],
  ])('with %s are refused', (_, options) => {
    expect(optionsSchema.safeParse(options).success).toBe(false)
  })
})

test("a quantum task's handle is refused", () => {
  const { handleSchema } = aBraket(() => ({})).executor
  const handle = { kind: 'quantum-task', arn: 'arn:task', name: 'n', deviceArn: 'arn:device', shots: 1 }
  expect(handleSchema.safeParse(handle).success).toBe(false)
})

test('find compares the names of the recent jobs, over all pages', async () => {
  const job = aJobSpec({ options: {} })
  const { executor, asked } = aBraket((_, { nextToken }) =>
    nextToken
      ? { jobs: [{ jobName: hybridJobName(job), jobArn: 'arn:found' }] }
      : { jobs: [{ jobName: `${hybridJobName(job)}0`, jobArn: 'arn:longer' }], nextToken: 'more' },
  )
  const options = executor.optionsSchema.parse(script)
  expect(await findJob(executor, { ...job, options })).toEqual({ kind: 'hybrid-job', arn: 'arn:found', name: job.name })
  expect(asked[1]?.input).toMatchObject({ filters: [{ name: 'createdAt', operator: 'BETWEEN' }], nextToken: 'more' })
})

describe('a cancel', () => {
  const conflict = refused('ConflictException')
  test.each([
    ['COMPLETED', 'ended'],
    ['FAILED', 'ended'],
    ['CANCELLED', 'ended'],
    ['CANCELLING', 'accepted'],
    ['RUNNING', 'failed'],
  ])('that conflicts with a job which is %s is %s', async (status, outcome) => {
    const { executor, asked } = aBraket((name) => (name === 'GetJob' ? { status } : Promise.reject(conflict)))
    expect(await executor.cancel([aHandle()], force)).toMatchObject([{ outcome }])
    expect(asked.map(({ name }) => name)).toEqual(['CancelJob', 'GetJob'])
  })

  test('of a job that is not there is unknown', async () => {
    const { executor } = aBraket(() => Promise.reject(refused('ResourceNotFoundException')))
    expect(await executor.cancel([aHandle()], force)).toEqual([{ outcome: 'unknown' }])
  })

  test('keeps to two a second after a burst of five', async () => {
    const clock = aJumpingClock()
    const { executor } = aBraket(() => ({}), { clock })
    await executor.cancel(
      Array.from({ length: 15 }, () => aHandle()),
      force,
    )
    expect(clock.now()).toBe(5000)
  })
})

test('creates keep to one a second after a burst of five, searches to five a second after fifty', async () => {
  const clock = aJumpingClock()
  const { executor } = aBraket(() => ({ jobArn: 'arn:job', jobs: [] }), { clock })
  const job = aJobSpec({ options: executor.optionsSchema.parse(script) })
  await Promise.all(Array.from({ length: 8 }, () => executor.submit(job)))
  expect(clock.now()).toBe(3000)
  await Promise.all(Array.from({ length: 60 }, () => findJob(executor, job)))
  expect(clock.now()).toBe(5000)
})

test('an answer without an ARN may have made a job', async () => {
  const { executor } = aBraket(() => ({}))
  const job = aJobSpec({ options: executor.optionsSchema.parse(script) })
  await expect(executor.submit(job)).rejects.toMatchObject({ code: 'BackendUnavailable', arrived: 'unknown' })
})
