import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createBatchExecutor } from '../../lib/back-ends/batch/executor.ts'
import { createLogReader } from '../../lib/back-ends/batch/log.ts'
import { createBraketTaskExecutor } from '../../lib/back-ends/braket/executor.ts'
import { createBraketJobExecutor } from '../../lib/back-ends/braket-job/executor.ts'
import type { Executor, Handle, JobSpec } from '../../lib/back-ends/executor.ts'
import { createSlurmExecutor } from '../../lib/back-ends/slurm/executor.ts'
import { createSshExecutor } from '../../lib/back-ends/ssh/executor.ts'
import { jobName } from '../../lib/domain/job-name.ts'
import type { JsonObject } from '../../lib/domain/json.ts'
import { aJobSpec, aPack } from '../contracts/executor-contract.ts'
import { findJob } from '../support/find-job.ts'
import { requestProblems, type Service } from './request-shape.ts'

const dispatchId = randomUUID()
/** As long as a name can get. */
const longest = { dispatchId, taskId: 9_999, attempt: 99 }
/** Longer than any service takes one, in characters that cost more than a byte. */
const reason = `${'é€🙂'.repeat(1000)}\n\t$(id)`
const output = { bucket: 'amazon-braket-quench-111122223333-eu-west-2', keyPrefix: 'braket' }
const role = 'arn:aws:iam::111122223333:role/service-role/AmazonBraketJobsExecutionRole'
const sv1 = 'arn:aws:braket:::device/quantum-simulator/amazon/sv1'

/** A client that keeps what it is asked, and answers as little as it may. */
function aRecorder(service: Service, answers: Readonly<Record<string, unknown>>) {
  const asked: { operation: string; problems: readonly string[] }[] = []
  const send = async (command: { input: unknown; constructor: { name: string } }) => {
    const operation = command.constructor.name.replace(/Command$/, '')
    asked.push({ operation, problems: requestProblems(service, operation, command.input) })
    return answers[operation] ?? {}
  }
  return { asked, client: { send: send as never } }
}

type Recorder = ReturnType<typeof aRecorder>

/** All that is done with a job. What the short answers come to does not matter here. */
async function useAll(executor: Executor, options: object, handles: readonly Handle[]): Promise<void> {
  const parsed = executor.optionsSchema.parse(options) as JsonObject
  const job: JobSpec = aJobSpec({ ...longest, name: jobName(longest), options: parsed, timeoutSeconds: 61 })
  const jobs = aPack([4, 5, 9], parsed)
  const calls = [
    () => executor.submit(job),
    () => findJob(executor, job),
    () => executor.forestall?.(job),
    () => executor.poll(handles),
    () => executor.cancel(handles, { mode: 'graceful', reason }),
    () => executor.cancel(handles, { mode: 'force', reason: '' }),
    () => executor.packing?.submit(jobs, jobs[0]?.name ?? ''),
    () => executor.packing?.find(jobs, jobs[0]?.name ?? ''),
    () => executor.readLog?.(handles[0] ?? {}, { stream: 'stdout', offset: 0 }),
  ]
  for (const call of calls) await Promise.resolve(call()).catch(() => undefined)
}

function expectGood({ asked }: Recorder, ...operations: readonly string[]): void {
  expect(new Set(asked.flatMap(({ problems }) => problems))).toEqual(new Set())
  expect([...new Set(asked.map(({ operation }) => operation))].sort()).toEqual([...operations].sort())
}

describe('every request is one that the service takes', () => {
  test('of batch', async () => {
    const jobId = randomUUID()
    const batch = aRecorder('batch', {
      SubmitJob: { jobId },
      DescribeJobs: { jobs: [{ jobId, status: 'RUNNING', container: { logStreamName: 'default/default/1' } }] },
      ListJobs: { jobSummaryList: [] },
    })
    const logs = aRecorder('logs', { GetLogEvents: { events: [], nextForwardToken: 'f/1' } })
    const { client } = batch
    const executor = createBatchExecutor({
      batch: client,
      submitter: client,
      readLogStream: createLogReader(logs.client),
    })
    const options = {
      command: ['sh', '-c', 'echo "$A"'],
      environment: { A: `it's "${'ü'.repeat(100)}"` },
      vcpus: 0.25,
      memoryMiB: 512,
      gpus: 1,
      jobQueue: 'default',
      jobDefinition: 'default:3',
    }
    const handle = (id: string) => ({ jobId: id, jobQueue: 'default', name: 'quench-x' })
    const members = [0, 1].map((index) => ({ ...handle(randomUUID()), index, size: 3 }))
    const alone = [jobId, ...Array.from({ length: 149 }, () => randomUUID())].map(handle)
    await useAll(executor, options, [...alone, ...members])
    expectGood(batch, 'SubmitJob', 'DescribeJobs', 'ListJobs', 'TerminateJobs')
    expectGood(logs, 'GetLogEvents')
  })

  test('of braket', async () => {
    const arn = `arn:aws:braket:eu-west-2:111122223333:quantum-task/${randomUUID()}`
    const braket = aRecorder('braket', {
      CreateQuantumTask: { quantumTaskArn: arn },
      GetQuantumTask: { status: 'RUNNING' },
      SearchQuantumTasks: { quantumTasks: [] },
    })
    const executor = createBraketTaskExecutor({ braketIn: () => braket.client, output, readText: async () => '' })
    const options = {
      device: 'sv1',
      shots: 1000,
      program: `OPENQASM 3; qubit q; input float theta; rx(theta) q;${' '.repeat(20_000)}`,
      inputs: { theta: 0.5 },
      deviceParameters: { braketSchemaHeader: { name: 'a', version: '1' } },
      seed: 7,
    }
    await useAll(executor, options, [{ kind: 'quantum-task', arn, name: 'quench-x', deviceArn: sv1, shots: 1000 }])
    expectGood(braket, 'CreateQuantumTask', 'GetQuantumTask', 'CancelQuantumTask', 'SearchQuantumTasks')
  })

  test('of braket-job', async () => {
    const arn = `arn:aws:braket:eu-west-2:111122223333:job/${randomUUID()}`
    const braket = aRecorder('braket', {
      CreateJob: { jobArn: arn },
      GetJob: { status: 'RUNNING' },
      SearchJobs: { jobs: [] },
    })
    const executor = createBraketJobExecutor({ braketIn: () => braket.client, output, roleArn: role })
    const options = {
      sourceUri: 's3://amazon-braket-quench/algorithm/source.tar.gz',
      entryPoint: 'algorithm:start',
      compressionType: 'GZIP',
      image: '111122223333.dkr.ecr.eu-west-2.amazonaws.com/jobs:latest',
      hyperParameters: { layers: '3', text: 'x'.repeat(2500) },
      inputData: [{ channelName: 'input', uri: 's3://amazon-braket-quench/data', contentType: 'text/csv' }],
    }
    await useAll(executor, options, [{ kind: 'hybrid-job', arn, name: 'quench-x' }])
    expectGood(braket, 'CreateJob', 'GetJob', 'CancelJob', 'SearchJobs')
  })

  const answers = {
    SendCommand: { Command: { CommandId: randomUUID() } },
    GetCommandInvocation: { Status: 'Success', ResponseCode: 0, StandardOutputContent: '' },
  }

  test('of ssh', async () => {
    const ssm = aRecorder('ssm', answers)
    const executor = createSshExecutor({ ssm: ssm.client, hosts: { 'lab-1': { instanceId: 'mi-0123456789abcdef0' } } })
    const handle = (id: number) => ({
      ...{ host: 'lab-1', instanceId: 'mi-0123456789abcdef0', name: `quench-${dispatchId}-${id}-1` },
      ...{ pid: 4000, startTime: 123_456, bootId: randomUUID() },
    })
    const options = {
      host: 'lab-1',
      command: `echo 'é€🙂'\n${'x'.repeat(20_000)}`,
      cwd: '/tmp',
      environment: { A: 'b' },
    }
    await useAll(
      executor,
      options,
      Array.from({ length: 900 }, (_, id) => handle(id)),
    )
    expectGood(ssm, 'SendCommand', 'GetCommandInvocation')
  })

  test('of slurm', async () => {
    const ssm = aRecorder('ssm', answers)
    const clusters = { hpc: { instanceId: 'i-0123456789abcdef0', user: 'quench' } }
    const executor = createSlurmExecutor({ ssm: ssm.client, clusters })
    const handle = (id: number) => ({
      ...{ cluster: 'hpc', instanceId: 'i-0123456789abcdef0', jobId: 400_000 + id },
      name: `quench-${dispatchId}-${id}-1`,
    })
    const options = { command: 'srun ./solve', partition: 'gpu', gres: 'gpu:2', mem: '4G', nodes: '2-4' }
    await useAll(
      executor,
      options,
      Array.from({ length: 900 }, (_, id) => handle(id)),
    )
    expectGood(ssm, 'SendCommand', 'GetCommandInvocation')
  })
})

test.each<[Service, string, unknown, string]>([
  ['batch', 'TerminateJobs', { jobs: 'a', reason: 'r' }, 'TerminateJobs.jobs: is no list'],
  ['batch', 'TerminateJobs', { jobs: ['a'] }, 'TerminateJobs: has no reason'],
  ['batch', 'SubmitJob', { jobName: 'a', jobQueue: 'q', jobDefinition: 'd', arrayProperties: { size: 1.5 } }, 'whole'],
  ['ssm', 'SendCommand', { DocumentName: 'AWS-RunShellScript', Comment: 'x'.repeat(101) }, '101 is more than 100'],
  ['ssm', 'SendCommand', { DocumentName: 'AWS-RunShellScript', InstanceIds: ['lab-1'] }, 'is not '],
  ['ssm', 'SendCommand', { DocumentName: 'a b c', Nothing: 1 }, 'knows no Nothing'],
  ['braket', 'CancelQuantumTask', { quantumTaskArn: 'arn', clientToken: '' }, '0 is less than 1'],
])('a request that %s would refuse is found: %s %j', (service, operation, input, problem) => {
  expect(requestProblems(service, operation, input).join('\n')).toContain(problem)
})
