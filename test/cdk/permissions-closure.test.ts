import { AsyncLocalStorage } from 'node:async_hooks'
import { SubmitJobCommand } from '@aws-sdk/client-batch'
import { StopExecutionCommand } from '@aws-sdk/client-sfn'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { executionArn, executionName } from '../../lib/aws/executions/execution-name.ts'
import { createBatchExecutor } from '../../lib/back-ends/batch/executor.ts'
import { createBraketTaskExecutor } from '../../lib/back-ends/braket/executor.ts'
import { createBraketJobExecutor } from '../../lib/back-ends/braket-job/executor.ts'
import { createSlurmExecutor } from '../../lib/back-ends/slurm/executor.ts'
import { createSshExecutor } from '../../lib/back-ends/ssh/executor.ts'
import { type LocalDynamo, startLocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { environment, openAwsWorld } from '../aws/aws-world.ts'
import { iamCalls } from './iam-calls.ts'
import { closureOf, type RecordedCall, roleOf, statementsOf } from './policies.ts'
import { place, synthesise } from './template.ts'

/** With no back end but Batch, as the scenarios have it; in the Region of their state machine. */
const [, , , region = ''] = environment.QUENCH_STATE_MACHINE_ARN.split(':')
const batchOnly = synthesise({ region: place.region, account: place.account, batch: { fargate: {} } })
const everything = synthesise()
const tableArn = batchOnly.resolve({ 'Fn::GetAtt': [Object.keys(batchOnly.ofType('AWS::DynamoDB::Table'))[0], 'Arn'] })
/** The queue of bulk cancellations, by its logical id. */
const bulkQueue = Object.keys(batchOnly.ofType('AWS::SQS::Queue')).find((id) => id.startsWith('BulkCancelsQueue')) ?? ''
const names = {
  api: 'api',
  turn: 'turn',
  act: 'act',
  cancel: 'cancel',
  jobEvents: 'job-events',
  reap: 'reap',
  sweep: 'sweep',
  announce: 'announce',
}
type FunctionKey = keyof typeof names

const calls = new Map<string, RecordedCall[]>()
let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
  await playScenarios()
})
afterAll(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  vi.useRealTimers()
  await dynamo.close()
})

const aTask = (name: string, needs: readonly string[] = [], rest: object = {}) => ({
  name,
  needs,
  executor: 'batch',
  options: { command: ['true'] },
  ...rest,
})
const chain = { name: 'chain', tasks: [aTask('a'), aTask('b', ['a'])] }
const nested = {
  name: 'nested',
  tasks: [{ name: 'inner', executor: 'sublattice', options: { graph: { name: 'child', tasks: [aTask('x')] } } }],
}

/** What every function does in its life, with each call put down to the function that made it. */
async function playScenarios() {
  const world = await openAwsWorld(dynamo, { fates: { '1-1': { seconds: 2 } }, isAnnouncing: true })
  const caller = new AsyncLocalStorage<FunctionKey>()
  for (const key of Object.keys(names) as FunctionKey[]) {
    const handler = world.functions[key]
    world.functions[key] = (event) => caller.run(key, () => handler(event))
  }
  const append = world.calls.push.bind(world.calls)
  world.calls.push = (...made) => {
    const key = caller.getStore()
    for (const { name, input } of made) {
      // The state machine's own writes go through the same client; they have a test of their own.
      if (key === undefined || name === 'UpdateItem') continue
      const inPlace = JSON.parse(
        JSON.stringify(input).replaceAll(region, place.region).replaceAll('quench-bulk', bulkQueue),
      ) as Record<string, unknown>
      calls.set(names[key], [...(calls.get(names[key]) ?? []), ...iamCalls(name, inPlace, String(tableArn))])
    }
    return append(...made)
  }
  const get = (path: string) => world.request('GET', path, undefined, world.functions.api)
  const post = (path: string, body: unknown, key: 'api' | 'cancel') =>
    world.request('POST', path, body, world.functions[key])
  const submit = async (graph: unknown) => (await post('/dispatches', graph, 'api')).body.dispatchId as string

  /** What a loop repeats of a kill pass. */
  const killPass = { kind: 'cancel', epoch: 1, tasks: '0:1', mode: 'graceful', reason: 'again' }

  const cancelled = await submit(chain)
  await world.clock.runUntil(async () => world.batch.submitted.length > 0)
  for (const path of ['', '/tasks', '/events']) await get(`/dispatches/${cancelled}${path}`)
  await get('/dispatches')
  await get(`/dispatches/${cancelled.slice(0, 6)}`)
  await post(`/dispatches/${cancelled.slice(0, 6)}/cancellations`, { taskIds: [1] }, 'cancel')
  await world.functions.act({ dispatchId: cancelled, action: { ...killPass, executor: 'batch' } })
  await post(`/dispatches/${cancelled}/cancellations`, {}, 'cancel')
  // The old loop's last turn, which cannot know that the drain has been started.
  await world.functions.turn({ dispatchId: cancelled, epoch: 1, generation: 1, events: 0 })
  await world.end(cancelled)

  // Redriven, by force the second time, and then cancelled for good.
  for (const force of [false, true]) {
    const submitted = world.batch.submitted.length
    const answer = await post(`/dispatches/${cancelled}/redrive`, { force }, 'cancel')
    expect(answer).toMatchObject({ statusCode: 202, body: { reopened: 2 } })
    await world.clock.runUntil(async () => world.batch.submitted.length > submitted)
    await post(`/dispatches/${cancelled}/cancellations`, force ? {} : { taskIds: [0] }, 'cancel')
  }
  await world.end(cancelled)

  // One that stops itself, after somebody has changed what it may spend.
  const late = await submit({ ...chain, timeoutSeconds: 5 })
  await get(`/dispatches/${late}/budget`)
  await world.request('PUT', `/dispatches/${late}/budget`, { limitUsd: 5 }, world.functions.cancel)
  await world.end(late)

  const many = await submit({ ...chain, tags: { many: 'yes' } })
  await post('/cancellations', { where: 'tag:many=yes backend:batch', dryRun: true }, 'cancel')
  const { bulkId } = (await post('/cancellations', { where: 'tag:many=yes', expectedCount: 1 }, 'cancel')).body
  await world.end(many)
  await get(`/cancellations/${bulkId}`)

  const stopped = await submit(chain)
  const jobs = world.batch.submitted.length
  await world.clock.runUntil(async () => world.batch.submitted.length > jobs)
  const stopLoop = (dispatchId: string) => {
    const name = executionName({ dispatchId, epoch: 1, generation: 1 })
    const arn = executionArn(environment.QUENCH_STATE_MACHINE_ARN, name)
    return world.steps.answer(new StopExecutionCommand({ executionArn: arn }) as never)
  }
  await stopLoop(stopped)
  await world.end(stopped)

  const parent = await submit(nested)
  const before = world.batch.submitted.length
  await world.clock.runUntil(async () => world.batch.submitted.length > before)
  await world.clock.busy(() =>
    world.functions.act({ dispatchId: parent, action: { ...killPass, executor: 'sublattice' } }),
  )
  await world.end(parent)

  // A stop that nobody was told of, and a job that nobody waits for: both are for the sweep.
  const forgotten = await submit(chain)
  const known = world.batch.submitted.length
  await world.clock.runUntil(async () => world.batch.submitted.length > known)
  const { reap } = world.functions
  world.functions.reap = async () => undefined
  await stopLoop(forgotten)
  world.functions.reap = reap
  const leaked = { jobName: `quench-${forgotten}-1-9`, jobQueue: 'default', jobDefinition: 'default' }
  await world.batch.answer(new SubmitJobCommand(leaked) as never)
  let isSwept = false
  world.clock.schedule(240, async () => {
    await world.functions.sweep({})
    isSwept = true
  })
  await world.clock.runUntil(async () => isSwept)
  await world.end(forgotten)
  await world.announceAll()
}

/** Allowed, and not called above. */
const unusedBecause: Readonly<Record<string, string>> = {
  'logs:CreateLogStream': 'Lambda writes the logs, with the rights of the function',
  'logs:PutLogEvents': 'as above',
  'xray:PutTraceSegments': 'Lambda sends the traces, with the rights of the function',
  'xray:PutTelemetryRecords': 'as above',
  'dynamodb:DescribeStream': 'Lambda reads the stream, with the rights of the function',
  'dynamodb:GetRecords': 'as above',
  'dynamodb:GetShardIterator': 'as above',
  'dynamodb:ListStreams': 'as above',
  'sqs:ReceiveMessage': 'Lambda reads the queue, with the rights of the function',
  'sqs:DeleteMessage': 'as above',
  'sqs:ChangeMessageVisibility': 'as above',
  'sqs:GetQueueUrl': 'as above',
  'sqs:GetQueueAttributes': 'as above',
  'sqs:SendMessage': 'Lambda sends what failed to the dead letters, with the rights of the function',
  's3:GetObject': 'results are read only where a task or a person asks for them',
  's3:PutObject': 'a list of inputs that is too long for a variable goes by URI',
  's3:ListBucket': 'tells a result that is not there from one that may not be read',
  'dynamodb:BatchGetItem': 'reads the claims whose jobs are looked for; none is lost here',
  'batch:ListJobs': 'looks for the job of a claim whose submitter has died; none dies here',
  'batch:DescribeJobs': 'a cancel asks which children of an array job still run; there is no array job here',
  'logs:GetLogEvents': 'shown only when a person asks for a log',
}

describe('the calls of the scenarios', () => {
  test.each(Object.values(names))('%s may do all that it did, and little else', (name) => {
    const made = calls.get(name) ?? []
    expect(made.length).toBeGreaterThan(0)
    const { denied, unused } = closureOf(statementsOf(batchOnly, roleOf(batchOnly, name)), made)
    expect(denied).toEqual([])
    expect(unused.filter((action) => unusedBecause[action] === undefined)).toEqual([])
  })
})

describe('the back ends', () => {
  const nothing = { send: () => Promise.reject(new Error('not called')) } as never
  const braket = { braketIn: () => nothing, output: { bucket: '', keyPrefix: '' }, readText: nothing }
  const executors = [
    createBatchExecutor({ batch: nothing, submitter: nothing }),
    createBraketTaskExecutor(braket),
    createBraketJobExecutor({ ...braket, roleArn: '' }),
    createSshExecutor({ ssm: nothing, hosts: {} }),
    createSlurmExecutor({ ssm: nothing, clusters: {} }),
  ]
  const allowedTo = (name: string) =>
    new Set(statementsOf(everything, roleOf(everything, name)).flatMap(({ Action }) => Action))

  test.each(executors.map(({ name, iamActions }) => [name, iamActions]))('act may do what %s calls', (_, actions) => {
    const missing = actions.filter((action) => !allowedTo('act').has(action))
    // Logs are shown by the API.
    expect(missing.filter((action) => !allowedTo('api').has(action))).toEqual([])
    expect(missing.filter((action) => !action.startsWith('logs:'))).toEqual([])
  })

  test('act may do to back ends only what executors declare', () => {
    const declared = new Set(executors.flatMap(({ iamActions }) => iamActions))
    const others = [...allowedTo('act')].filter((action) => /^(batch|braket|ssm|ec2|iam):/.test(action))
    expect(others.filter((action) => !declared.has(action))).toEqual([])
  })

  test.each(['cancel', 'reap', 'sweep'])('%s may stop jobs of every kind, and start none', (name) => {
    const allowed = [...allowedTo(name)]
    const stops = ['batch:TerminateJob', 'braket:CancelQuantumTask', 'braket:CancelJob', 'ssm:SendCommand']
    expect(allowed).toEqual(expect.arrayContaining(stops))
    expect(allowed.filter((action) => /:(SubmitJob|Create\w+(Task|Job))$|PassRole|TagResource/.test(action))).toEqual(
      [],
    )
  })

  test.each(['act', 'cancel', 'reap', 'sweep'])('%s may look for jobs by their names on every back end', (name) => {
    const looks = ['batch:ListJobs', 'braket:SearchQuantumTasks', 'braket:SearchJobs', 'ssm:SendCommand']
    expect([...allowedTo(name)]).toEqual(expect.arrayContaining(looks))
  })

  test.each(['turn', 'job-events', 'announce'])('%s has nothing to do with back ends', (name) => {
    expect([...allowedTo(name)].filter((action) => /^(batch|braket|ssm|ec2|s3|iam):/.test(action))).toEqual([])
  })
})
