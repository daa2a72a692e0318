import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import {
  CancelJobCommand,
  CancelQuantumTaskCommand,
  CreateJobCommand,
  type CreateJobCommandInput,
  CreateQuantumTaskCommand,
  type CreateQuantumTaskCommandInput,
  GetJobCommand,
  GetQuantumTaskCommand,
  SearchJobsCommand,
  SearchQuantumTasksCommand,
} from '@aws-sdk/client-braket'
import { afterEach, describe, expect, test } from 'vitest'
import {
  createLocalBraket,
  type LocalBraket,
  type LocalBraketOptions,
} from '../../../lib/emulator/braket/local-braket.ts'
import type { BraketEvent } from '../../../lib/emulator/braket/local-braket-records.ts'
import { findProcesses } from '../../../lib/emulator/processes/process-tree.ts'
import { patienceMs } from '../../support/patience.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function aDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quench-local-braket-'))
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A local Braket on its own directory, stopped at the end of the test. */
async function aBraket(options: Partial<LocalBraketOptions> = {}): Promise<LocalBraket & { directory: string }> {
  const directory = options.directory ?? aDirectory()
  const braket = createLocalBraket({ directory, stopTimeoutSeconds: 0.3, ...options })
  await braket.start()
  cleanups.push(() => braket.close({ detachJobs: false }))
  return { ...braket, directory }
}

const sv1 = 'arn:aws:braket:::device/quantum-simulator/amazon/sv1'
const bell = 'OPENQASM 3;\nqubit[2] q;\nh q[0];\ncnot q[0], q[1];'
const layer = Array.from({ length: 11 }, (_, n) => `ry(0.3) q[${n}]; cnot q[${n}], q[${n + 1}];`).join(' ')
/** Twelve qubits in full superposition, many times over: minutes. */
const hard = { source: `qubit[12] q; h q; ${layer} ${layer}`, shots: 100_000 }

type Submission = Partial<CreateQuantumTaskCommandInput> & { source?: string; inputs?: object }

function taskInput({ source = bell, inputs = {}, ...input }: Submission = {}): CreateQuantumTaskCommandInput {
  const braketSchemaHeader = { name: 'braket.ir.openqasm.program', version: '1' }
  return {
    clientToken: randomUUID(),
    deviceArn: sv1,
    shots: 20,
    outputS3Bucket: 'amazon-braket-test',
    outputS3KeyPrefix: 'tasks/one',
    action: JSON.stringify({ braketSchemaHeader, source, inputs }),
    ...input,
  }
}

async function create(braket: LocalBraket, submission: Submission = {}): Promise<string> {
  return (await braket.send(new CreateQuantumTaskCommand(taskInput(submission)))).quantumTaskArn as string
}

const get = (braket: LocalBraket, quantumTaskArn: string) => braket.send(new GetQuantumTaskCommand({ quantumTaskArn }))
const cancel = (braket: LocalBraket, quantumTaskArn: string) =>
  braket.send(new CancelQuantumTaskCommand({ quantumTaskArn }))

async function reach(braket: LocalBraket, arn: string, ...states: string[]) {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(10)) {
    const task = await get(braket, arn)
    if (states.includes(task.status ?? '')) return task
  }
  throw new Error(`${arn} is ${(await get(braket, arn)).status}, not ${states}`)
}

const ended = (braket: LocalBraket, arn: string) => reach(braket, arn, 'COMPLETED', 'FAILED', 'CANCELLED')

/** What the device has written for a task. */
async function resultOf(braket: LocalBraket & { directory: string }, arn: string) {
  const { outputS3Bucket = '', outputS3Directory = '' } = await ended(braket, arn)
  const file = join(braket.directory, 's3', outputS3Bucket, outputS3Directory, 'results.json')
  return JSON.parse(readFileSync(file, 'utf8'))
}

describe('a quantum task', () => {
  test('leaves its results as Braket writes them', async () => {
    const braket = await aBraket()
    const arn = await create(braket, { shots: 200 })
    const result = await resultOf(braket, arn)
    expect(result).toMatchObject({
      braketSchemaHeader: { name: 'braket.task_result.gate_model_task_result', version: '1' },
      measuredQubits: [0, 1],
      taskMetadata: { id: arn, shots: 200, deviceId: sv1 },
      additionalMetadata: { action: { source: bell } },
    })
    expect(result.measurements).toHaveLength(200)
    expect(new Set(result.measurements.map(String))).toEqual(new Set(['0,0', '1,1']))
    expect(Object.keys(result.measurementProbabilities).sort()).toEqual(['00', '11'])
    expect(result.measurementProbabilities['11']).toBeCloseTo(0.5, 0)
    const task = await get(braket, arn)
    expect(task).toMatchObject({ status: 'COMPLETED', shots: 200, numSuccessfulShots: 200, deviceArn: sv1 })
    expect(task.outputS3Directory).toBe(`tasks/one/${arn.slice(arn.lastIndexOf('/') + 1)}`)
    expect(task.endedAt?.getTime()).toBeGreaterThanOrEqual(task.createdAt?.getTime() ?? Number.POSITIVE_INFINITY)
  })

  test('leaves its results where its tag says as well, with the values of its pragmas', async () => {
    const braket = await aBraket()
    const file = join(braket.directory, 'a folder/result')
    const tags = { 'quench:result': pathToFileURL(file).href, 'quench:seed': '1' }
    const source = `${bell}\n#pragma braket result expectation z(q[0]) @ z(q[1])`
    await ended(braket, await create(braket, { tags, source }))
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      resultTypes: [{ type: { type: 'expectation', observable: ['z', 'z'], targets: [0, 1] }, value: 1 }],
    })
  })

  test('counts the same with the same seed', async () => {
    const braket = await aBraket()
    const submission = { source: 'qubit[6] q; h q;', shots: 40, tags: { 'quench:seed': '5' } }
    const [first, second] = await Promise.all([create(braket, submission), create(braket, submission)])
    const results = await Promise.all([resultOf(braket, first), resultOf(braket, second)])
    expect(results[0].measurements).toEqual(results[1].measurements)
  })

  test('that cannot run fails, and its reason names the line', async () => {
    const braket = await aBraket()
    const [unknown, noisy] = await Promise.all([
      create(braket, { source: 'OPENQASM 3;\nqubit q;\nfoo q;' }),
      create(braket, { source: 'qubit q;\n#pragma braket noise bit_flip(0.1) q' }),
    ])
    expect(await ended(braket, unknown)).toMatchObject({
      status: 'FAILED',
      failureReason: expect.stringMatching(/^line 3: undefined symbol: foo/),
    })
    expect(await ended(braket, noisy)).toMatchObject({
      status: 'FAILED',
      failureReason: expect.stringMatching(/^line 2: .*noise/),
    })
  })

  test('submitted again under its token is the same task', async () => {
    const braket = await aBraket({ queueSeconds: 60 })
    const input = taskInput()
    const answers = await Promise.all([1, 2].map(() => braket.send(new CreateQuantumTaskCommand(input))))
    expect(answers[1]?.quantumTaskArn).toBe(answers[0]?.quantumTaskArn)
    const all = await braket.send(new SearchQuantumTasksCommand({ filters: [] }))
    expect(all.quantumTasks).toHaveLength(1)
  })

  test('tells of every change, as EventBridge does', async () => {
    const events: BraketEvent[] = []
    const braket = await aBraket({ onEvent: (event) => events.push(event) })
    const arn = await create(braket, { source: 'qubit q;\nfoo q;' })
    await ended(braket, arn)
    expect(events.map(({ detail }) => detail.status)).toEqual(['CREATED', 'QUEUED', 'RUNNING', 'FAILED'])
    expect(events[0]).toMatchObject({
      'detail-type': 'Braket Task State Change',
      source: 'aws.braket',
      resources: [arn],
      detail: { quantumTaskArn: arn, shots: '20', outputS3Bucket: 'amazon-braket-test', eventName: 'INSERT' },
    })
    expect(events[0]?.detail).not.toHaveProperty('endedAt')
    expect(events[3]?.detail).toMatchObject({ eventName: 'MODIFY', endedAt: expect.any(String) })
  })

  test('is found by its device and its time, a page at a time', async () => {
    const braket = await aBraket({ queueSeconds: 60 })
    const arns = [await create(braket), await create(braket), await create(braket)]
    await create(braket, { deviceArn: 'arn:aws:braket:us-east-1::device/qpu/ionq/Forte-1' })
    const filters = [
      { name: 'deviceArn', operator: 'EQUAL' as const, values: [sv1] },
      { name: 'createdAt', operator: 'GTE' as const, values: [new Date(Date.now() - 60_000).toISOString()] },
    ]
    const first = await braket.send(new SearchQuantumTasksCommand({ filters, maxResults: 2 }))
    const { nextToken } = first
    const second = await braket.send(new SearchQuantumTasksCommand({ filters, maxResults: 2, nextToken }))
    const found = [...(first.quantumTasks ?? []), ...(second.quantumTasks ?? [])]
    expect(found.map(({ quantumTaskArn }) => quantumTaskArn)).toEqual(arns.toReversed())
    const future = [{ name: 'createdAt', operator: 'GT' as const, values: ['2999-01-01T00:00:00.000Z'] }]
    expect((await braket.send(new SearchQuantumTasksCommand({ filters: future }))).quantumTasks).toEqual([])
  })
})

describe('the cancel of a quantum task', () => {
  test('that waits at its device ends it at once, and it never runs', async () => {
    const events: BraketEvent[] = []
    const braket = await aBraket({ queueSeconds: 2, onEvent: (event) => events.push(event) })
    const arn = await create(braket)
    expect(await get(braket, arn)).toMatchObject({ status: 'QUEUED' })
    expect(await cancel(braket, arn)).toMatchObject({ cancellationStatus: 'CANCELLED', quantumTaskArn: arn })
    // It waits no longer than the one that came after it.
    expect(await ended(braket, await create(braket))).toMatchObject({ status: 'COMPLETED' })
    expect(await get(braket, arn)).toMatchObject({ status: 'CANCELLED' })
    const told = events.filter(({ resources }) => resources[0] === arn).map(({ detail }) => detail.status)
    expect(told).toEqual(['CREATED', 'QUEUED', 'CANCELLED'])
  })

  test('that waits for a thread makes room for the next', async () => {
    const braket = await aBraket({ concurrency: 1 })
    const [busy, waiting, last] = [await create(braket, hard), await create(braket, hard), await create(braket)]
    await reach(braket, busy, 'RUNNING')
    expect(await get(braket, waiting)).toMatchObject({ status: 'QUEUED' })
    await cancel(braket, waiting)
    await cancel(braket, busy)
    expect(await ended(braket, last)).toMatchObject({ status: 'COMPLETED' })
  })

  test('that runs stops its thread', async () => {
    const braket = await aBraket()
    const arn = await create(braket, hard)
    await reach(braket, arn, 'RUNNING')
    expect(braket.countSimulations()).toBe(1)
    expect(await cancel(braket, arn)).toMatchObject({ cancellationStatus: 'CANCELLING' })
    expect(await ended(braket, arn)).toMatchObject({ status: 'CANCELLED' })
    expect(braket.countSimulations()).toBe(0)
  })

  test('that has ended is a conflict', async () => {
    const braket = await aBraket()
    const arn = await create(braket, { source: 'qubit q;\nfoo q;' })
    await ended(braket, arn)
    await expect(cancel(braket, arn)).rejects.toMatchObject({ name: 'ConflictException', $fault: 'client' })
    expect(await get(braket, arn)).toMatchObject({ status: 'FAILED' })
  })

  test('that is not there is not found', async () => {
    const braket = await aBraket()
    const arn = `arn:aws:braket:local-1:000000000000:quantum-task/${randomUUID()}`
    for (const call of [cancel(braket, arn), get(braket, arn)]) {
      await expect(call).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    }
  })
})

describe('a restart', () => {
  test('runs again what ran, keeps what ended, and lets wait what waits', async () => {
    const directory = aDirectory()
    const long = 'arn:aws:braket:us-east-1::device/qpu/test/Long'
    const queueSeconds = (device: string) => (device === long ? 3600 : 0)
    const first = createLocalBraket({ directory, queueSeconds, concurrency: 1 })
    await first.start()
    const cancelled = await create(first, { deviceArn: long })
    await cancel(first, cancelled)
    const failed = await create(first, { source: 'qubit q;\nfoo q;' })
    await ended(first, failed)
    const waiting = await create(first, { deviceArn: long })
    const running = await create(first, { ...hard, tags: { 'quench:seed': '1' } })
    await reach(first, running, 'RUNNING')
    const input = taskInput({ deviceArn: long })
    const { quantumTaskArn: again } = await first.send(new CreateQuantumTaskCommand(input))
    await first.close({ detachJobs: false })
    await expect(get(first, running)).rejects.toMatchObject({ code: 'ECONNREFUSED' })

    const events: BraketEvent[] = []
    const braket = await aBraket({ directory, queueSeconds, onEvent: (event) => events.push(event) })
    expect(await get(braket, cancelled)).toMatchObject({ status: 'CANCELLED' })
    expect(await get(braket, failed)).toMatchObject({ status: 'FAILED', failureReason: expect.any(String) })
    expect(await get(braket, waiting)).toMatchObject({ status: 'QUEUED' })
    await reach(braket, running, 'RUNNING')
    expect(events.some(({ resources }) => resources[0] === failed)).toBe(false)
    expect((await braket.send(new CreateQuantumTaskCommand(input))).quantumTaskArn).toBe(again)
    await cancel(braket, running)
    await ended(braket, running)
  })
})

describe('Braket refuses', () => {
  test.each<[string, Submission, RegExp]>([
    ['a token of more than 64 characters', { clientToken: 'x'.repeat(65) }, /clientToken/],
    ['no token', { clientToken: '' }, /clientToken/],
    ['no shots', { shots: 0 }, /shots/],
    ['half a shot', { shots: 0.5 }, /shots/],
    ['more shots than SV1 takes', { shots: 100_001 }, /up to 100000 shots/],
    ['more shots than TN1 takes', { deviceArn: sv1.replace('sv1', 'tn1'), shots: 1001 }, /up to 1000 shots/],
    ['what is no device', { deviceArn: 'sv1' }, /deviceArn sv1/],
    ['a bucket with too short a name', { outputS3Bucket: 'ab' }, /outputS3Bucket/],
    ['a folder outside of the bucket', { outputS3KeyPrefix: 'a/../../b' }, /outputS3KeyPrefix/],
    [
      'what is no OpenQASM program',
      { action: '{"braketSchemaHeader":{"name":"braket.ir.jaqcd.program","version":"1"}}' },
      /action/,
    ],
    ['what is no JSON', { action: 'OPENQASM 3;' }, /action/],
    ['too long a tag', { tags: { a: 'x'.repeat(257) } }, /tag a/],
  ])('%s', async (_, submission, message) => {
    const braket = await aBraket()
    const error = await create(braket, submission).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      name: 'ValidationException',
      $fault: 'client',
      message: expect.stringMatching(message),
    })
  })

  test('a filter that the reference does not have', async () => {
    const braket = await aBraket()
    const filters = [{ name: 'jobName', operator: 'EQUAL' as const, values: ['x'] }]
    for (const command of [new SearchJobsCommand({ filters }), new SearchQuantumTasksCommand({ filters })]) {
      await expect(braket.send(command as SearchJobsCommand)).rejects.toMatchObject({ name: 'ValidationException' })
    }
  })
})

interface Script {
  readonly file?: string
  readonly text: string
  readonly entryPoint?: string
}

/** A hybrid job with a script of its own. */
async function createJob(
  braket: LocalBraket,
  { file = 'job.sh', text, entryPoint = file }: Script,
  input: Partial<CreateJobCommandInput> = {},
): Promise<string> {
  const directory = aDirectory()
  writeFileSync(join(directory, file), text)
  const answer = await braket.send(
    new CreateJobCommand({
      clientToken: randomUUID(),
      jobName: 'a-job',
      deviceConfig: { device: sv1 },
      algorithmSpecification: {
        scriptModeConfig: { s3Uri: pathToFileURL(directory).href, entryPoint, compressionType: 'NONE' },
      },
      instanceConfig: { instanceType: 'ml.m5.large', volumeSizeInGb: 1 },
      outputDataConfig: { s3Path: 's3://amazon-braket-test/jobs/one' },
      roleArn: 'arn:aws:iam::000000000000:role/hybrid-jobs',
      ...input,
    }),
  )
  return answer.jobArn as string
}

const getJob = (braket: LocalBraket, jobArn: string) => braket.send(new GetJobCommand({ jobArn }))
const cancelJob = (braket: LocalBraket, jobArn: string) => braket.send(new CancelJobCommand({ jobArn }))

async function reachJob(braket: LocalBraket, arn: string, ...states: string[]) {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(10)) {
    const job = await getJob(braket, arn)
    if (states.includes(job.status ?? '')) return job
  }
  throw new Error(`${arn} is ${(await getJob(braket, arn)).status}, not ${states}`)
}

const jobEnded = (braket: LocalBraket, arn: string) => reachJob(braket, arn, 'COMPLETED', 'FAILED', 'CANCELLED')
const forever = { text: 'sleep 300 & wait' }

describe('a hybrid job', () => {
  test('sees what its container would, and leaves its results where they are asked for', async () => {
    const braket = await aBraket({ environment: { QUENCH_SERVER: 'r' } })
    const result = join(braket.directory, 'result')
    const text = [
      'echo "$AMZN_BRAKET_JOB_NAME $AMZN_BRAKET_DEVICE_ARN $QUENCH_SERVER $AWS_SECRET_ACCESS_KEY"',
      'cat "$AMZN_BRAKET_HP_FILE" > "$AMZN_BRAKET_JOB_RESULTS_DIR/results.json"',
    ].join('\n')
    process.env.AWS_SECRET_ACCESS_KEY = 'secret'
    cleanups.push(() => delete process.env.AWS_SECRET_ACCESS_KEY)
    const hyperParameters = { layers: '3', QUENCH_RESULT: pathToFileURL(result).href }
    const arn = await createJob(braket, { text }, { hyperParameters })
    const job = await jobEnded(braket, arn)
    expect(job).toMatchObject({ status: 'COMPLETED', jobName: 'a-job', hyperParameters })
    expect(job.startedAt?.getTime()).toBeGreaterThanOrEqual(job.createdAt?.getTime() ?? Number.POSITIVE_INFINITY)
    expect(job.events?.map(({ eventType }) => eventType)).toEqual(['QUEUED_FOR_EXECUTION', 'RUNNING', 'COMPLETED'])
    const log = join(braket.directory, 'hybrid-jobs/logs', arn.slice(arn.lastIndexOf('/') + 1))
    expect(readFileSync(log, 'utf8')).toBe(`a-job ${sv1} r \n`)
    const kept = join(braket.directory, 's3/amazon-braket-test/jobs/one/output/results.json')
    for (const file of [kept, result]) expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(hyperParameters)
  })

  test('may leave its result itself', async () => {
    const braket = await aBraket()
    const result = join(braket.directory, 'result')
    const text = `echo mine > ${result}; echo other > "$AMZN_BRAKET_JOB_RESULTS_DIR/results.json"`
    const hyperParameters = { QUENCH_RESULT: pathToFileURL(result).href }
    await jobEnded(braket, await createJob(braket, { text }, { hyperParameters }))
    expect(readFileSync(result, 'utf8')).toBe('mine\n')
  })

  test('runs a program of Node', async () => {
    const braket = await aBraket()
    const arn = await createJob(braket, { file: 'job.mjs', text: 'process.exit(4)' })
    expect(await jobEnded(braket, arn)).toMatchObject({
      status: 'FAILED',
      failureReason: expect.stringMatching(/exit code: 4$/),
    })
  })

  test.runIf(spawnSync('python3', ['--version']).status === 0)('runs a function of a Python module', async () => {
    const braket = await aBraket()
    const text = 'import sys\n\ndef start():\n    sys.exit(5)\n'
    const arn = await createJob(braket, { file: 'algorithm.py', text, entryPoint: 'algorithm:start' })
    expect(await jobEnded(braket, arn)).toMatchObject({
      status: 'FAILED',
      failureReason: expect.stringMatching(/exit code: 5$/),
    })
  })

  test('without a script fails with a reason', async () => {
    const braket = await aBraket()
    const scriptModeConfig = { s3Uri: 'file:///nowhere/job.sh', entryPoint: 'job.sh' }
    const arn = await createJob(braket, forever, { algorithmSpecification: { scriptModeConfig } })
    expect(await jobEnded(braket, arn)).toMatchObject({
      status: 'FAILED',
      failureReason: expect.stringMatching(/no source at file:/),
    })
  })

  test('that runs is cancelled with all its processes', async () => {
    const server = randomUUID()
    const braket = await aBraket({ environment: { QUENCH_SERVER: server } })
    const arn = await createJob(braket, { text: 'trap "" TERM; setsid sleep 300 & sleep 300; sleep 300' })
    // Its shells, and both sleeps: then the trap is set.
    await expect.poll(() => findProcesses('QUENCH_SERVER', new Set([server])).get(server)?.length).toBeGreaterThan(3)
    expect(await cancelJob(braket, arn)).toMatchObject({ cancellationStatus: 'CANCELLING' })
    expect(await cancelJob(braket, arn)).toMatchObject({ cancellationStatus: 'CANCELLING' })
    expect(await jobEnded(braket, arn)).toMatchObject({ status: 'CANCELLED' })
    expect(findProcesses('QUENCH_SERVER', new Set([server])).size).toBe(0)
    await expect(cancelJob(braket, arn)).rejects.toMatchObject({ name: 'ConflictException' })
  })

  test('that waits at its device is cancelled before it ran', async () => {
    const braket = await aBraket({ queueSeconds: 60 })
    const arn = await createJob(braket, forever)
    expect(await cancelJob(braket, arn)).toMatchObject({ cancellationStatus: 'CANCELLED' })
    expect((await getJob(braket, arn)).startedAt).toBeUndefined()
  })

  test('that outlives its stopping condition fails for it', async () => {
    let now = Date.now()
    const braket = await aBraket({ now: () => now })
    const arn = await createJob(braket, forever, { stoppingCondition: { maxRuntimeInSeconds: 60 } })
    await reachJob(braket, arn, 'RUNNING')
    now += 61_000
    const job = await jobEnded(braket, arn)
    expect(job).toMatchObject({ status: 'FAILED', failureReason: expect.stringMatching(/^MaxRuntimeExceeded/) })
    expect(job.events?.map(({ eventType }) => eventType)).toContain('MAX_RUNTIME_EXCEEDED')
  })

  test('waits its turn: the account runs three', async () => {
    const braket = await aBraket({ queueSeconds: 60 })
    const [first = ''] = await Promise.all([1, 2, 3].map(() => createJob(braket, forever)))
    await expect(createJob(braket, forever)).rejects.toMatchObject({ name: 'ServiceQuotaExceededException' })
    await cancelJob(braket, first)
    expect(await createJob(braket, forever)).toMatch(/^arn:/)
  })

  test('left to itself at a restart is taken up, and one that was killed has lost its host', async () => {
    const directory = aDirectory()
    const first = createLocalBraket({ directory })
    await first.start()
    const flag = join(directory, 'go')
    const arn = await createJob(first, { text: `until [ -e ${flag} ]; do sleep 0.05; done; exit 6` })
    await reachJob(first, arn, 'RUNNING')
    await first.close({ detachJobs: true })
    writeFileSync(flag, '')

    const second = createLocalBraket({ directory })
    await second.start()
    expect(await jobEnded(second, arn)).toMatchObject({
      status: 'FAILED',
      failureReason: expect.stringMatching(/exit code: 6$/),
    })
    const killed = await createJob(second, forever)
    await reachJob(second, killed, 'RUNNING')
    await second.close({ detachJobs: false })

    const third = await aBraket({ directory })
    expect(await jobEnded(third, killed)).toMatchObject({
      status: 'FAILED',
      failureReason: expect.stringMatching(/^InternalServerError/),
    })
    expect(await getJob(third, arn)).toMatchObject({ status: 'FAILED' })
    expect(existsSync(join(directory, 'hybrid-jobs/jobs.jsonl'))).toBe(true)
  })

  test.each<[string, Partial<CreateJobCommandInput>, RegExp]>([
    ['a name of more than 50 characters', { jobName: 'x'.repeat(51) }, /jobName/],
    ['a name that ends in a hyphen', { jobName: 'job-' }, /jobName/],
    ['six days', { stoppingCondition: { maxRuntimeInSeconds: 6 * 86_400 } }, /maxRuntimeInSeconds/],
    ['a hyperparameter without value', { hyperParameters: { a: '' } }, /hyperparameter a/],
    ['an output that is not on S3', { outputDataConfig: { s3Path: '/tmp' } }, /s3Path/],
    ['what is no role', { roleArn: 'me' }, /roleArn/],
    ['an image alone', { algorithmSpecification: { containerImage: { uri: 'i' } } }, /scriptModeConfig/],
  ])('is refused with %s', async (_, input, message) => {
    const braket = await aBraket()
    const error = await createJob(braket, forever, input).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'ValidationException', message: expect.stringMatching(message) })
  })
})
