import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BraketClient, CreateQuantumTaskCommandInput } from '@aws-sdk/client-braket'
import { describe, expect, test } from 'vitest'
import { type BraketTaskOptions, createBraketTaskExecutor } from '../../../lib/back-ends/braket/executor.ts'
import { cancelSeconds } from '../../../lib/back-ends/braket/facts.ts'
import { observeQuantumTask } from '../../../lib/back-ends/braket/observe.ts'
import { quantumTaskUsd } from '../../../lib/back-ends/braket/price.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import { BackendRejected, BackendUnavailable } from '../../../lib/domain/errors.ts'
import { createLocalBraket } from '../../../lib/emulator/braket/local-braket.ts'
import { createFaults } from '../../../lib/emulator/faults.ts'
import {
  aJobSpec,
  connectionLost,
  describeExecutor,
  type JobKind,
  throttled,
} from '../../contracts/executor-contract.ts'
import { findJob } from '../../support/find-job.ts'
import { aJumpingClock } from './jumping-clock.ts'

const bell = 'OPENQASM 3;\nqubit[2] q;\nh q[0];\ncnot q[0], q[1];'
const layer = Array.from({ length: 11 }, (_, n) => `ry(0.3) q[${n}]; cnot q[${n}], q[${n + 1}];`).join(' ')
/** Twelve qubits in full superposition, many times over. */
const hard = `qubit[12] q; h q; ${layer} ${layer}`
const busyQpu = 'arn:aws:braket:us-east-1::device/qpu/test/Busy'

const optionsOf: Record<JobKind, object> = {
  quick: { program: bell, shots: 10 },
  failing: { program: 'qubit q;\nnoSuchGate q;', shots: 10 },
  long: { program: hard, shots: 100_000 },
  queued: { program: bell, shots: 10, device: 'busy' },
}

/**
 * The contract asks every job when it started, and a failing one for its exit code. A quantum task knows neither, and
 * its executor invents nothing: for the contract's sake, this one says what a process would.
 */
function asProcess(executor: Executor): Executor {
  return {
    ...executor,
    poll: async (handles) =>
      (await executor.poll(handles)).map((seen) => ({
        ...seen,
        ...(seen.state === 'failed' && { exitCode: 3 }),
        ...(seen.state === 'succeeded' && { startedAt: 0 }),
      })),
  }
}

const output = { bucket: 'amazon-braket-test', keyPrefix: 'tasks' }
const readText = async (uri: string) => {
  throw new BackendRejected(`there is no text to read at ${uri}`)
}

describeExecutor('braket', {
  adopts: true,
  queues: true,
  start: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'quench-braket-'))
    const faults = createFaults()
    const queueSeconds = (device: string) => (device === busyQpu ? 3600 : 0)
    const braket = createLocalBraket({ directory, queueSeconds, concurrency: 3, faults })
    await braket.start()
    const executor = createBraketTaskExecutor({
      braketIn: () => braket,
      output,
      readText,
      devices: { busy: busyQpu },
      quotaFactor: 1000,
    })
    const unknown = () => ({ ...aHandle(), arn: `arn:aws:braket:local-1:000000000000:quantum-task/${randomUUID()}` })
    return {
      executor: asProcess(executor),
      job: (kind) => aJobSpec({ options: executor.optionsSchema.parse(optionsOf[kind]) }),
      unknownHandles: (calls) => (calls === 1 ? [unknown()] : [unknown(), unknown(), unknown()]),
      countLive: braket.countSimulations,
      stop: async () => {
        await braket.close({ detachJobs: false })
        rmSync(directory, { recursive: true })
      },
      calls: { faults, submit: 'CreateQuantumTask', poll: 'GetQuantumTask', cancel: 'CancelQuantumTask' },
    }
  },
})

const sv1 = 'arn:aws:braket:::device/quantum-simulator/amazon/sv1'
const forte = 'arn:aws:braket:us-east-1::device/qpu/ionq/Forte-1'
const garnet = 'arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet'

const aHandle = (overrides: object = {}) => ({
  kind: 'quantum-task',
  arn: 'arn:aws:braket:us-east-1:123456789012:quantum-task/1',
  name: 'quench-x',
  deviceArn: sv1,
  shots: 100,
  ...overrides,
})

/** A Braket that gives recorded answers, and keeps what it was asked, and in which Region. */
function aBraket(
  answer: (name: string, input: Record<string, unknown>) => unknown,
  options: Partial<BraketTaskOptions> = {},
) {
  const asked: { name: string; input: Record<string, unknown>; region: string | undefined }[] = []
  const braketIn = (region: string | undefined) => {
    const send = async (command: { input: Record<string, unknown>; constructor: { name: string } }) => {
      const name = command.constructor.name.replace('Command', '')
      asked.push({ name, input: command.input, region })
      return answer(name, command.input)
    }
    return { send: send as unknown as BraketClient['send'] }
  }
  const executor = createBraketTaskExecutor({ braketIn, output, readText, ...options })
  return { executor, asked }
}

/** What the SDK throws for an answer that is an error. */
const refused = (name: string, message = 'no') =>
  Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } })

const force = { mode: 'force', reason: 'budget' } as const

describe('what Braket says about a quantum task', () => {
  const endedAt = new Date(2000)
  test.each([
    ['CREATED is queued', { status: 'CREATED' }, { state: 'queued' }],
    ['QUEUED is queued', { status: 'QUEUED' }, { state: 'queued' }],
    ['RUNNING is running', { status: 'RUNNING' }, { state: 'running' }],
    ['CANCELLING does not say that it has run', { status: 'CANCELLING' }, { state: 'queued' }],
    ['COMPLETED is succeeded', { status: 'COMPLETED', endedAt }, { state: 'succeeded', endedAt: 2000 }],
    ['CANCELLED is cancelled', { status: 'CANCELLED', endedAt }, { state: 'cancelled', endedAt: 2000 }],
    [
      'FAILED is failed, with the reason',
      { status: 'FAILED', endedAt, failureReason: 'too many qubits' },
      { state: 'failed', endedAt: 2000, failure: { code: 'TaskFailed', message: 'too many qubits', retryable: false } },
    ],
    [
      'FAILED without a word has a message all the same',
      { status: 'FAILED' },
      { failure: { message: expect.stringMatching(/gave no reason/) } },
    ],
    [
      'a state that is new says nothing',
      { status: 'DREAMING' },
      { state: 'unknown', failure: { message: expect.stringMatching(/DREAMING/) } },
    ],
  ])('%s', (_, task, expected) => {
    expect(observeQuantumTask(task)).toMatchObject(expected)
  })
})

describe('a submit', () => {
  const submitted = async (options: object, spec: object = {}, braket: Partial<BraketTaskOptions> = {}) => {
    const { executor, asked } = aBraket(() => ({ quantumTaskArn: 'arn:task' }), braket)
    const job = aJobSpec({ options: executor.optionsSchema.parse(options), ...spec })
    const handle = await executor.submit(job)
    return { job, handle, region: asked[0]?.region, input: asked[0]?.input as unknown as CreateQuantumTaskCommandInput }
  }

  test('uses its name as the token and as a folder of the output', async () => {
    const { job, handle, input, region } = await submitted({ program: bell, shots: 7, device: forte })
    expect(input).toMatchObject({
      clientToken: job.name,
      deviceArn: forte,
      shots: 7,
      outputS3Bucket: output.bucket,
      outputS3KeyPrefix: `tasks/${job.name}`,
    })
    expect(handle).toEqual({ kind: 'quantum-task', arn: 'arn:task', name: job.name, deviceArn: forte, shots: 7 })
    expect(region).toBe('us-east-1')
  })

  test('sends the program with its inputs as an action', async () => {
    const { input } = await submitted({ program: bell, inputs: { theta: 0.5 } })
    expect(JSON.parse(String(input.action))).toEqual({
      braketSchemaHeader: { name: 'braket.ir.openqasm.program', version: '1' },
      source: bell,
      inputs: { theta: 0.5 },
    })
  })

  test('goes to SV1 in the default Region, with 1,000 shots, where nothing else is said', async () => {
    const { input, region } = await submitted({ program: bell })
    expect(input).toMatchObject({ deviceArn: sv1, shots: 1000 })
    expect(region).toBeUndefined()
  })

  test('knows devices by their configured names', async () => {
    const { input } = await submitted({ program: bell, device: 'garnet' }, {}, { devices: { garnet } })
    expect(input.deviceArn).toBe(garnet)
  })

  test('tags the task with its dispatch, its result and its seed', async () => {
    const environment = { QUENCH_RESULT: 's3://results/d-3-1' }
    const { input, job } = await submitted({ program: bell, seed: 5 }, { dispatchId: 'd', taskId: 3, environment })
    expect(input.tags).toEqual({
      'quench:dispatch': 'd',
      'quench:task': '3',
      'quench:job': job.name,
      'quench:result': 's3://results/d-3-1',
      'quench:seed': '5',
    })
  })

  test('passes device parameters on as JSON', async () => {
    const { input } = await submitted({ program: bell, deviceParameters: { a: { b: 1 } } })
    expect(input.deviceParameters).toBe('{"a":{"b":1}}')
  })

  test('reads a program from its URI', async () => {
    const { input } = await submitted({ programUri: 's3://b/k' }, {}, { readText: async (uri) => `text of ${uri}` })
    expect(JSON.parse(String(input.action)).source).toBe('text of s3://b/k')
  })

  test('reads one of several programs by a JSON pointer', async () => {
    const text = JSON.stringify({ circuits: [{ 'a/b': bell }] })
    const { input } = await submitted({ programUri: 's3://b/k#/circuits/0/a~1b' }, {}, { readText: async () => text })
    expect(JSON.parse(String(input.action)).source).toBe(bell)
  })

  test.each([
    ['a pointer to nothing', '#/circuits/9', '{"circuits":[]}', /no OpenQASM text at s3:\/\/b\/k#\/circuits\/9/],
    ['a pointer to what is no text', '#/circuits', '{"circuits":[]}', /no OpenQASM text/],
    ['a pointer into what is not JSON', '#/0', 'OPENQASM 3;', /s3:\/\/b\/k is not JSON/],
  ])('is refused with %s', async (_, pointer, text, message) => {
    const submit = submitted({ programUri: `s3://b/k${pointer}` }, {}, { readText: async () => text })
    await expect(submit).rejects.toThrow(message)
    await expect(submit).rejects.toBeInstanceOf(BackendRejected)
  })

  test('is refused when its result has an address that no tag can hold', async () => {
    const submit = submitted({ program: bell }, { environment: { QUENCH_RESULT: `file:///${'x'.repeat(300)}` } })
    await expect(submit).rejects.toThrow(/308 characters; a tag takes 256/)
  })

  test.each([
    ['a throttled call', throttled(), BackendUnavailable, 'no'],
    ['a full quota', refused('ServiceQuotaExceededException'), BackendUnavailable, 'no'],
    ['a device out of its hours', refused('DeviceOfflineException'), BackendUnavailable, 'no'],
    ['a broken connection', connectionLost(), BackendUnavailable, 'unknown'],
    ['a retired device', refused('DeviceRetiredException'), BackendRejected, undefined],
    ['a wrong request', refused('ValidationException'), BackendRejected, undefined],
  ])('knows what became of %s', async (_, thrown, type, arrived) => {
    const { executor } = aBraket(() => Promise.reject(thrown))
    const job = aJobSpec({ options: executor.optionsSchema.parse({ program: bell }) })
    const error = await executor.submit(job).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(type)
    expect((error as BackendUnavailable).arrived).toBe(arrived)
  })

  test('keeps to 20 a second after a burst of 40', async () => {
    const clock = aJumpingClock()
    const { executor } = aBraket(() => ({ quantumTaskArn: 'arn:task' }), { clock })
    const job = aJobSpec({ options: executor.optionsSchema.parse({ program: bell }) })
    await Promise.all(Array.from({ length: 60 }, () => executor.submit(job)))
    expect(clock.now()).toBe(1000)
  })
})

describe('options', () => {
  const { optionsSchema } = aBraket(() => ({}), { devices: { garnet } }).executor
  test.each([
    ['no program', {}],
    ['two programs', { program: bell, programUri: 's3://b/k' }],
    ['no shots', { program: bell, shots: 0 }],
    ['a device that nobody knows', { program: bell, device: 'deep-thought' }],
    ['a device named like what every object has', { program: bell, device: 'toString' }],
    ['an input that is no name', { program: bell, inputs: { 'a b': 1 } }],
  ])('with %s are refused', (_, options) => {
    expect(optionsSchema.safeParse(options).success).toBe(false)
  })

  test('name the devices that there are', () => {
    const { error } = optionsSchema.safeParse({ program: bell, device: 'x' })
    expect(error?.issues[0]?.message).toMatch(/one of sv1, dm1, tn1, garnet$/)
  })
})

test("a hybrid job's handle is refused", () => {
  const { handleSchema } = aBraket(() => ({})).executor
  expect(handleSchema.safeParse({ kind: 'hybrid-job', arn: 'arn:job', name: 'n' }).success).toBe(false)
})

describe('find', () => {
  const summary = (directory: string, arn: string) => ({
    quantumTaskArn: arn,
    deviceArn: forte,
    shots: 7,
    outputS3Directory: directory,
  })

  test('looks through the tasks that the device got at that time, page by page, for the one with the folder', async () => {
    const { executor, asked } = aBraket((_, { nextToken }) =>
      nextToken
        ? { quantumTasks: [summary(`tasks/${job.name}/1`, 'arn:found')] }
        : {
            quantumTasks: [summary(`tasks/${job.name}0/1`, 'arn:longer'), summary('other/2', 'arn:other')],
            nextToken: 'n',
          },
    )
    const options = executor.optionsSchema.parse({ program: bell, device: forte, shots: 7 })
    const job = aJobSpec({ options })
    const found = await findJob(executor, job)
    expect(found).toEqual({ kind: 'quantum-task', arn: 'arn:found', name: job.name, deviceArn: forte, shots: 7 })
    expect(asked.map(({ name }) => name)).toEqual(['SearchQuantumTasks', 'SearchQuantumTasks'])
    expect(asked[0]?.input.filters).toMatchObject([
      { name: 'deviceArn', operator: 'EQUAL', values: [forte] },
      { name: 'createdAt', operator: 'BETWEEN' },
    ])
  })
})

describe('a cancel', () => {
  const conflict = refused('ConflictException', 'Cannot cancel quantum task in state COMPLETED')
  test.each([
    ['COMPLETED', 'ended'],
    ['FAILED', 'ended'],
    ['CANCELLED', 'ended'],
    ['CANCELLING', 'accepted'],
    ['RUNNING', 'failed'],
  ])('that conflicts with a task which is %s is %s', async (status, outcome) => {
    const { executor } = aBraket((name) => (name === 'GetQuantumTask' ? { status } : Promise.reject(conflict)))
    expect(await executor.cancel([aHandle()], force)).toMatchObject([{ outcome }])
  })

  test('of a task that is not there is unknown', async () => {
    const { executor } = aBraket(() => Promise.reject(refused('ResourceNotFoundException')))
    expect(await executor.cancel([aHandle()], force)).toEqual([{ outcome: 'unknown' }])
  })

  test('goes to the Region of the task', async () => {
    const { executor, asked } = aBraket(() => ({}))
    await executor.cancel([aHandle({ arn: 'arn:aws:braket:eu-north-1:1:quantum-task/1', deviceArn: garnet })], force)
    expect(asked[0]?.region).toBe('eu-north-1')
  })

  test('of 50 tasks asks for 20 at once and for two a second after, the dearest first', async () => {
    const clock = aJumpingClock()
    const at: { usd: number; ms: number }[] = []
    const handles = Array.from({ length: 50 }, (_, n) =>
      aHandle({ arn: `arn:${n}`, deviceArn: forte, shots: 100 + ((n * 37) % 50) }),
    )
    const { executor } = aBraket(
      (_, { quantumTaskArn }) => {
        const { shots } = handles.find(({ arn }) => arn === quantumTaskArn) ?? { shots: 0 }
        at.push({ usd: quantumTaskUsd(forte, shots) ?? 0, ms: clock.now() })
        return {}
      },
      { clock },
    )
    const outcomes = await executor.cancel(handles, force)
    expect(outcomes).toHaveLength(50)
    expect(outcomes.every(({ outcome }) => outcome === 'accepted')).toBe(true)
    expect(at.map(({ ms }) => ms)).toEqual(Array.from({ length: 50 }, (_, n) => Math.max(0, n - 19) * 500))
    expect(at.map(({ usd }) => usd)).toEqual(at.map(({ usd }) => usd).toSorted((a, b) => b - a))
    expect(clock.now() / 1000).toBe(cancelSeconds(50))
  })

  test('takes a device of unknown price for the dearest, and answers in the order of the handles', async () => {
    const unknown = aHandle({ arn: 'arn:new', deviceArn: 'arn:aws:braket:us-west-1::device/qpu/new/Machine' })
    const handles = [aHandle({ arn: 'arn:sv1' }), unknown, aHandle({ arn: 'arn:forte', deviceArn: forte })]
    const { executor, asked } = aBraket((_, { quantumTaskArn }) =>
      quantumTaskArn === 'arn:forte' ? Promise.reject(refused('ResourceNotFoundException')) : {},
    )
    const outcomes = await executor.cancel(handles, force)
    expect(asked.map(({ input }) => input.quantumTaskArn)).toEqual(['arn:new', 'arn:forte', 'arn:sv1'])
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'unknown'])
  })

  test('two chunks at the same time keep to one quota', async () => {
    const clock = aJumpingClock()
    const { executor } = aBraket(() => ({}), { clock })
    const chunk = Array.from({ length: 20 }, () => aHandle())
    await Promise.all([executor.cancel(chunk, force), executor.cancel(chunk, force)])
    expect(clock.now()).toBe(10_000)
  })

  test.each([
    [1, 0],
    [20, 0],
    [100, 40],
  ])('of %s tasks is asked for within %s seconds', (count, seconds) => {
    expect(cancelSeconds(count)).toBe(seconds)
  })
})

test.each([
  ['a task on Forte', forte, 100, 8.3],
  ['a task on Garnet', garnet, 1000, 1.75],
  ['a task on a simulator', sv1, 1000, 0.00375],
  ['a task on a machine that is not in the table', 'arn:aws:braket:::device/qpu/new/Machine', 1, undefined],
])('%s costs what the price list says', (_, device, shots, usd) => {
  if (usd === undefined) expect(quantumTaskUsd(device, shots)).toBeUndefined()
  else expect(quantumTaskUsd(device, shots)).toBeCloseTo(usd)
})
