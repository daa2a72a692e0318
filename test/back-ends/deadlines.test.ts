import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createBatchExecutor } from '../../lib/back-ends/batch/executor.ts'
import { createBraketTaskExecutor } from '../../lib/back-ends/braket/executor.ts'
import { createBraketJobExecutor } from '../../lib/back-ends/braket-job/executor.ts'
import type { Deadline, Executor, Handle, JobSpec } from '../../lib/back-ends/executor.ts'
import { askHosts } from '../../lib/back-ends/run-command/ask-hosts.ts'
import { createSlurmExecutor } from '../../lib/back-ends/slurm/executor.ts'
import { createSshExecutor } from '../../lib/back-ends/ssh/executor.ts'
import { BackendUnavailable } from '../../lib/domain/errors.ts'
import { aJobSpec, aPack } from '../contracts/executor-contract.ts'
import { soughtNow } from '../support/find-job.ts'

const settle = async () => {
  for (let round = 0; round < 50; round++) await new Promise(setImmediate)
}

/** A deadline that comes when everything has come to a halt. */
function aDeadline() {
  const abort = new AbortController()
  const deadline: Deadline = { at: 0, signal: abort.signal }
  const comes = async () => {
    await settle()
    abort.abort()
  }
  return { deadline, comes }
}

/** A client whose calls are never answered, not even when they are told to end. */
function aHangingClient() {
  const asked: string[] = []
  const send = (command: { constructor: { name: string } }) => {
    asked.push(command.constructor.name)
    return new Promise<never>(() => {})
  }
  return { asked, client: { send: send as never } }
}

const output = { bucket: 'bucket', keyPrefix: 'braket' }
const arn = 'arn:aws:braket:us-east-1:111122223333'
const hostHandle = {
  host: 'lab',
  instanceId: 'i-1',
  name: `quench-${randomUUID()}-0-1`,
  pid: 1,
  startTime: 1,
  bootId: 'a',
}

interface Case {
  readonly name: string
  readonly options: object
  readonly handle: Handle
  create(client: { readonly send: never }): Executor
}

const cases: readonly Case[] = [
  {
    name: 'batch',
    options: { command: ['true'] },
    handle: { jobId: 'id', jobQueue: 'default', name: 'quench-x' },
    create: (batch) => createBatchExecutor({ batch, submitter: batch, jobQueues: ['default'] }),
  },
  {
    name: 'braket',
    options: { program: 'qubit q;' },
    handle: { kind: 'quantum-task', arn: `${arn}:quantum-task/1`, name: 'quench-x', deviceArn: 'sv1', shots: 1 },
    create: (client) => createBraketTaskExecutor({ braketIn: () => client, output, readText: async () => '' }),
  },
  {
    name: 'braket-job',
    options: { image: 'image' },
    handle: { kind: 'hybrid-job', arn: `${arn}:job/1`, name: 'quench-x' },
    create: (client) => createBraketJobExecutor({ braketIn: () => client, output, roleArn: 'arn:role' }),
  },
  {
    name: 'ssh',
    options: { host: 'lab', command: 'true' },
    handle: hostHandle,
    create: (ssm) => createSshExecutor({ ssm, hosts: { lab: { instanceId: 'i-1' } } }),
  },
  {
    name: 'slurm',
    options: { command: 'true' },
    handle: { cluster: 'lab', instanceId: 'i-1', jobId: 1, name: 'quench-x' },
    create: (ssm) => createSlurmExecutor({ ssm, clusters: { lab: { instanceId: 'i-1' } } }),
  },
]

describe.each(cases)('a service that never answers $name', ({ options, handle, create }) => {
  /** What a verb comes to when the deadline ends it. */
  const end = async (verb: (executor: Executor, deadline: Deadline, job: JobSpec) => unknown) => {
    const { asked, client } = aHangingClient()
    const executor = create(client)
    const { deadline, comes } = aDeadline()
    const job = aJobSpec({ options: executor.optionsSchema.parse(options) })
    const ended = Promise.resolve(verb(executor, deadline, job)).catch((error: unknown) => error)
    await comes()
    const answer = await ended
    return { answer, asked }
  }

  test('may have taken a submit that its deadline ended', async () => {
    const { answer, asked } = await end((executor, deadline, job) => executor.submit(job, deadline))
    expect(answer).toMatchObject({ code: 'BackendUnavailable', arrived: 'unknown' })
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['look for jobs', (executor, deadline, job) => executor.find([soughtNow(job)], deadline)],
    ['poll', (executor, deadline) => executor.poll([handle], deadline)],
    ['cancel', (executor, deadline) => executor.cancel([handle], { mode: 'force', reason: '' }, deadline)],
    ['keep from starting', (executor, deadline, job) => executor.forestall?.(job, deadline)],
    ['list', (executor, deadline) => executor.listJobs?.(deadline)],
    ['log', (executor, deadline) => executor.readLog?.(handle, { stream: 'stdout', offset: 0 }, deadline)],
    ['pack', (executor, deadline, job) => executor.packing?.submit(aPack([1, 2], job.options), job.name, deadline)],
    ['look for packs', (executor, deadline, job) => executor.packing?.find([job, job], job.name, deadline)],
  ] as [string, (executor: Executor, deadline: Deadline, job: JobSpec) => unknown][])(
    'cannot keep a %s beyond its deadline',
    async (_, verb) => {
      const { answer } = await end(verb)
      expect(answer === undefined || answer instanceof BackendUnavailable).toBe(true)
    },
  )

  test('is sent nothing after the deadline', async () => {
    const { asked, client } = aHangingClient()
    const executor = create(client)
    const { deadline, comes } = aDeadline()
    await comes()
    const job = aJobSpec({ options: executor.optionsSchema.parse(options) })
    await expect(executor.submit(job, deadline)).rejects.toMatchObject({ arrived: 'no' })
    await expect(executor.poll([handle], deadline)).rejects.toBeInstanceOf(BackendUnavailable)
    await expect(executor.cancel([handle], { mode: 'force', reason: '' }, deadline)).rejects.toBeInstanceOf(
      BackendUnavailable,
    )
    expect(asked).toEqual([])
  })
})

test('a host that hangs costs the others none of their answers', async () => {
  const send = (command: { input: { InstanceIds?: string[] } }) => {
    if (command.input.InstanceIds?.[0] === 'i-deaf') return new Promise<never>(() => {})
    if (command.input.InstanceIds) return Promise.resolve({ Command: { CommandId: 'c' } })
    return Promise.resolve({ Status: 'Success', ResponseCode: 0, StandardOutputContent: 'well' })
  }
  const { deadline, comes } = aDeadline()
  const handles = [{ instanceId: 'i-deaf' }, { instanceId: 'i-1' }]
  const question = { comment: '', script: () => 'true', parse: (stdout: string) => [stdout], failed: () => 'no answer' }
  const asked = askHosts({ ssm: { send: send as never } }, handles, question, deadline)
  await comes()
  expect(await asked).toEqual(['no answer', 'well'])
})

test('what a call for many has answered before the deadline is kept', async () => {
  let calls = 0
  const send = () => {
    calls += 1
    return calls > 30 ? new Promise<never>(() => {}) : Promise.resolve({ status: 'QUEUED' })
  }
  const braket = { send: send as never }
  const executor = createBraketTaskExecutor({ braketIn: () => braket, output, readText: async () => '' })
  const handles = Array.from({ length: 100 }, (_, n) => ({
    ...(cases[1]?.handle as Handle),
    arn: `${arn}:quantum-task/${n}`,
  }))
  const { deadline, comes } = aDeadline()
  const polled = executor.poll(handles, deadline)
  await comes()
  const states = Object.groupBy(await polled, ({ state }) => state)
  expect([states.queued?.length, states.unknown?.length]).toEqual([30, 70])
  // Four were under way.
  expect(calls).toBe(34)
})
