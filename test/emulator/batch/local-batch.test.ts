import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ClientException,
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
  SubmitJobCommand,
  type SubmitJobCommandInput,
  TerminateJobsCommand,
} from '@aws-sdk/client-batch'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BatchJobEvent } from '../../../lib/emulator/batch/local-batch-job.ts'
import type { LocalBatch } from '../../../lib/emulator/batch/local-batch-port.ts'
import { createFaults } from '../../../lib/emulator/faults.ts'
import { findProcesses } from '../../../lib/emulator/processes/process-tree.ts'
import { throttled } from '../../contracts/executor-contract.ts'
import { patienceMs } from '../../support/patience.ts'
import { aBatch, aDirectory } from './a-batch.ts'

type Submission = Partial<SubmitJobCommandInput> & { command?: string[]; vcpus?: number }

async function submit(batch: LocalBatch, { command = ['true'], vcpus, ...input }: Submission = {}): Promise<string> {
  const resourceRequirements = vcpus === undefined ? [] : [{ type: 'VCPU' as const, value: String(vcpus) }]
  const answer = await batch.send(
    new SubmitJobCommand({
      jobName: 'a-job',
      jobQueue: 'default',
      jobDefinition: 'default',
      containerOverrides: { command, resourceRequirements },
      ...input,
    }),
  )
  return answer.jobId as string
}

const shell = (script: string): Submission => ({ command: ['sh', '-c', script] })

async function describeOne(batch: LocalBatch, jobId: string): Promise<JobDetail> {
  return (await batch.send(new DescribeJobsCommand({ jobs: [jobId] }))).jobs?.[0] as JobDetail
}

async function reach(batch: LocalBatch, jobId: string, ...states: string[]): Promise<JobDetail> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(10)) {
    const job = await describeOne(batch, jobId)
    if (states.includes(job.status ?? '')) return job
  }
  throw new Error(`${jobId} is ${(await describeOne(batch, jobId)).status}, not ${states}`)
}

const ended = (batch: LocalBatch, jobId: string) => reach(batch, jobId, 'SUCCEEDED', 'FAILED')

const terminate = (batch: LocalBatch, ...jobs: string[]) =>
  batch.send(new TerminateJobsCommand({ jobs, reason: 'the test says so' }))

const processesOf = (jobId: string) => findProcesses('AWS_BATCH_JOB_ID', new Set([jobId])).get(jobId) ?? []

const log = (batch: { directory: string }, jobId: string) => readFileSync(join(batch.directory, 'logs', jobId), 'utf8')

async function until(isDone: () => boolean, what: string): Promise<void> {
  for (const deadline = performance.now() + patienceMs; !isDone(); await sleep(10))
    if (performance.now() > deadline) throw new Error(`${what} did not happen`)
}

describe('a job', () => {
  test('runs its command, and leaves its output, its exit code and its times', async () => {
    const batch = await aBatch()
    const jobId = await submit(batch, shell('echo out; echo err >&2; exit 3'))
    const job = await ended(batch, jobId)
    expect(job).toMatchObject({ status: 'FAILED', container: { exitCode: 3 } })
    expect(job.statusReason).toBe('Essential container in task exited')
    expect(job.attempts).toHaveLength(1)
    expect(job.startedAt).toBeGreaterThanOrEqual(job.createdAt ?? Number.POSITIVE_INFINITY)
    expect(job.stoppedAt).toBeGreaterThanOrEqual(job.startedAt ?? Number.POSITIVE_INFINITY)
    expect(log(batch, jobId)).toBe('out\nerr\n')
  })

  test("sees Batch's variables, its own and the region's, but not our credentials", async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'secret'
    onTestFinished(() => void delete process.env.AWS_SECRET_ACCESS_KEY)
    const batch = await aBatch({ environment: { QUENCH_SERVER: 'r' } })
    const environment = [
      { name: 'MINE', value: 'a b' },
      { name: 'QUENCH_SERVER', value: 'forged' },
    ]
    const jobId = await submit(batch, { containerOverrides: { command: ['env'], environment } })
    await ended(batch, jobId)
    const lines = log(batch, jobId).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        `AWS_BATCH_JOB_ID=${jobId}`,
        'AWS_BATCH_JQ_NAME=default',
        'AWS_BATCH_JOB_ATTEMPT=1',
        'MINE=a b',
        'QUENCH_SERVER=r',
        `PATH=${process.env.PATH}`,
      ]),
    )
    expect(lines.join()).not.toContain('secret')
  })

  test('runs in a folder of its own, or where it is told to', async () => {
    const own = await aBatch()
    const jobId = await submit(own, { command: ['pwd'] })
    await ended(own, jobId)
    expect(log(own, jobId)).toBe(`${join(own.directory, 'jobs', jobId)}\n`)
    const workingDirectory = aDirectory()
    const told = await aBatch({ workingDirectory })
    const other = await submit(told, { command: ['pwd'] })
    await ended(told, other)
    expect(log(told, other)).toBe(`${workingDirectory}\n`)
  })

  test('that names no program fails with the code of a shell, not with a word that the shell knows', async () => {
    const batch = await aBatch()
    const jobId = await submit(batch, { command: ['return', '0'] })
    expect(await ended(batch, jobId)).toMatchObject({ status: 'FAILED', container: { exitCode: 127 } })
  })

  test('that exits with 75 is a failure like any other', async () => {
    const batch = await aBatch()
    const jobId = await submit(batch, shell('exit 75'))
    expect(await ended(batch, jobId)).toMatchObject({ status: 'FAILED', container: { exitCode: 75 } })
  })

  test('that cannot be started fails with a reason', async () => {
    const batch = await aBatch({ workingDirectory: '/nowhere' })
    const job = await ended(batch, await submit(batch))
    expect(job).toMatchObject({ status: 'FAILED', statusReason: expect.stringMatching(/^Task failed to start: /) })
  })

  test('takes the processes that it leaves with it, as a container does', async () => {
    const batch = await aBatch()
    const jobId = await submit(batch, shell('setsid sleep 60 & setsid sleep 60 & exit 0'))
    expect(await ended(batch, jobId)).toMatchObject({ status: 'SUCCEEDED' })
    expect(processesOf(jobId)).toEqual([])
  })

  test('that outlives its time-out is stopped', async () => {
    let now = Date.now()
    const batch = await aBatch({ now: () => now })
    const jobId = await submit(batch, { command: ['sleep', '60'], timeout: { attemptDurationSeconds: 60 } })
    await reach(batch, jobId, 'RUNNING')
    now += 61_000
    const job = await ended(batch, jobId)
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Job attempt duration exceeded timeout' })
    expect(job.isTerminated).toBeUndefined()
  })
})

describe('TerminateJobs', () => {
  test('sends SIGTERM to the main process, and the rest goes with it', async () => {
    const batch = await aBatch({ stopTimeoutSeconds: 60 })
    const jobId = await submit(batch, shell('trap "echo bye; exit 0" TERM; sleep 60 & while :; do wait; done'))
    await until(() => processesOf(jobId).length === 3, 'the sleep')
    await terminate(batch, jobId)
    const job = await ended(batch, jobId)
    expect(job).toMatchObject({ status: 'FAILED', isTerminated: true, statusReason: 'the test says so' })
    expect(log(batch, jobId)).toBe('bye\n')
    expect(processesOf(jobId)).toEqual([])
  })

  test('leaves nothing of a job that forks, ignores SIGTERM and starts a daemon', async () => {
    const batch = await aBatch()
    const script =
      'trap "" TERM; setsid sh -c "while :; do sleep 1; done" & for i in 1 2 3; do sleep 60 & done; wait; wait'
    const jobId = await submit(batch, shell(script))
    await until(() => processesOf(jobId).length >= 6, 'the fork')
    const askedAt = Date.now()
    await terminate(batch, jobId)
    const job = await ended(batch, jobId)
    expect(Date.now() - askedAt).toBeGreaterThanOrEqual(300)
    expect(job).toMatchObject({ status: 'FAILED', isTerminated: true, container: { exitCode: 137 } })
    expect(processesOf(jobId)).toEqual([])
  })

  test('ends a waiting job at once, and lets smaller ones behind it start', async () => {
    const batch = await aBatch({ vcpus: 2 })
    const running = await submit(batch, { command: ['sleep', '60'] })
    const big = await submit(batch, { vcpus: 2 })
    const small = await submit(batch)
    await reach(batch, running, 'RUNNING')
    expect(await describeOne(batch, small)).toMatchObject({ status: 'RUNNABLE' })
    await terminate(batch, big)
    expect(await describeOne(batch, big)).toMatchObject({ status: 'FAILED', isCancelled: true })
    expect(await ended(batch, small)).toMatchObject({ status: 'SUCCEEDED' })
  })

  test('changes nothing about a job that had ended', async () => {
    const batch = await aBatch()
    const jobId = await submit(batch)
    const job = await ended(batch, jobId)
    expect(await terminate(batch, jobId)).toMatchObject({ successful: [jobId], errors: [] })
    expect(await describeOne(batch, jobId)).toEqual(job)
  })

  test('answers job by job: what is not found is done, what is no job id is an error', async () => {
    const batch = await aBatch()
    const unknown = randomUUID()
    const answer = await terminate(batch, unknown, 'nonsense')
    expect(answer.successful).toEqual([unknown])
    expect(answer.errors).toMatchObject([{ job: 'nonsense', code: 'ValidationException' }])
  })

  test('straight after the submit stops the job all the same', async () => {
    const batch = await aBatch()
    const jobs = await Promise.all(Array.from({ length: 12 }, () => submit(batch, { command: ['sleep', '60'] })))
    await terminate(batch, ...jobs)
    for (const jobId of jobs) {
      expect(await ended(batch, jobId)).toMatchObject({ status: 'FAILED', statusReason: 'the test says so' })
      expect(processesOf(jobId)).toEqual([])
    }
  })
})

describe('the queue', () => {
  test('starts jobs in their order and never has more vCPUs at work than there are', async () => {
    const running = new Map<string, number>()
    const started: string[] = []
    let most = 0
    const size = (event: BatchJobEvent) => Number(event.detail.container?.resourceRequirements?.[0]?.value)
    const batch = await aBatch({
      vcpus: 3,
      onEvent: (event) => {
        const { jobId = '', status } = event.detail
        if (status === 'RUNNING') started.push(jobId)
        if (status === 'RUNNING') running.set(jobId, size(event))
        if (status === 'SUCCEEDED') running.delete(jobId)
        most = Math.max(
          most,
          [...running.values()].reduce((sum, one) => sum + one, 0),
        )
      },
    })
    const sizes = [1, 2, 1, 3, 1, 1, 2]
    const jobs = await Promise.all(sizes.map((vcpus) => submit(batch, { command: ['sleep', '0.02'], vcpus })))
    for (const jobId of jobs) await ended(batch, jobId)
    expect(started).toEqual(jobs)
    expect(most).toBe(3)
  })

  test('puts a job that can never fit aside, and says why', async () => {
    const batch = await aBatch({ vcpus: 2 })
    const tooBig = await submit(batch, { vcpus: 3 })
    await ended(batch, await submit(batch))
    const job = await describeOne(batch, tooBig)
    expect(job.status).toBe('RUNNABLE')
    expect(job.statusReason).toMatch(/^MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT/)
  })
})

describe('a change of state', () => {
  test('is told as EventBridge tells it, from RUNNABLE on', async () => {
    const events: BatchJobEvent[] = []
    const batch = await aBatch({ onEvent: (event) => events.push(event) })
    const jobId = await submit(batch, { jobName: 'told', tags: { 'quench:task': '1' } })
    await ended(batch, jobId)
    expect(events.map(({ detail }) => detail.status)).toEqual(['RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED'])
    const arn = expect.stringMatching(`^arn:aws:batch:[^:]+:\\d+:job/${jobId}$`)
    expect(events.at(-1)).toMatchObject({
      version: '0',
      'detail-type': 'Batch Job State Change',
      source: 'aws.batch',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      resources: [arn],
      detail: { jobArn: arn, jobId, jobName: 'told', tags: { 'quench:task': '1' }, container: { exitCode: 0 } },
    })
    expect(new Set(events.map(({ id }) => id)).size).toBe(4)
  })
})

describe('the documented limits', () => {
  const ids = (count: number) => Array.from({ length: count }, () => randomUUID())
  const tooLong = 'x'.repeat(31 * 1024)
  const override = (environment: { name: string; value: string }[]) => ({ command: ['true'], environment })
  const wrong: [string, (batch: LocalBatch) => Promise<unknown>][] = [
    ['101 ids to describe', (batch) => batch.send(new DescribeJobsCommand({ jobs: ids(101) }))],
    ['51 ids to terminate', (batch) => batch.send(new TerminateJobsCommand({ jobs: ids(51), reason: 'r' }))],
    ['no reason', (batch) => batch.send(new TerminateJobsCommand({ jobs: ids(1), reason: '' }))],
    ['a long reason', (batch) => batch.send(new TerminateJobsCommand({ jobs: ids(1), reason: 'r'.repeat(1025) }))],
    ['a name with a blank', (batch) => submit(batch, { jobName: 'a job' })],
    ['a name of 129 letters', (batch) => submit(batch, { jobName: 'a'.repeat(129) })],
    ['an unknown queue', (batch) => submit(batch, { jobQueue: 'no-such' })],
    ['an unknown definition', (batch) => submit(batch, { jobDefinition: 'no-such' })],
    ['no command', (batch) => submit(batch, { command: [] })],
    ['a time-out of 59 s', (batch) => submit(batch, { timeout: { attemptDurationSeconds: 59 } })],
    ['an array of one', (batch) => submit(batch, { arrayProperties: { size: 1 } })],
    ['an array of 10,001', (batch) => submit(batch, { arrayProperties: { size: 10_001 } })],
    ['31 KiB', (batch) => submit(batch, { command: [tooLong] })],
    ['no vCPUs', (batch) => submit(batch, { vcpus: 0 })],
    [
      'a reserved variable',
      (batch) => submit(batch, { containerOverrides: override([{ name: 'AWS_BATCH_JOB_ID', value: 'x' }]) }),
    ],
    ['a list of an unknown queue', (batch) => batch.send(new ListJobsCommand({ jobQueue: 'no-such' }))],
    ['1,001 results a page', (batch) => batch.send(new ListJobsCommand({ jobQueue: 'default', maxResults: 1001 }))],
  ]

  test.each(wrong)('refuse %s', async (_, call) => {
    const batch = await aBatch()
    const error = await call(batch).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ClientException)
    expect(error).toMatchObject({ name: 'ClientException', $fault: 'client', $metadata: { httpStatusCode: 400 } })
  })

  test('let 100 ids, 50 ids and configured names pass', async () => {
    const batch = await aBatch({ jobQueues: ['fast'], jobDefinitions: ['python'] })
    expect(await batch.send(new DescribeJobsCommand({ jobs: ids(100) }))).toMatchObject({ jobs: [] })
    expect((await terminate(batch, ...ids(50))).successful).toHaveLength(50)
    expect(await submit(batch, { jobQueue: 'fast', jobDefinition: 'python' })).toBeTruthy()
  })
})

describe('ListJobs', () => {
  const names = async (batch: LocalBatch, value: string) => {
    const filters = [{ name: 'JOB_NAME', values: [value] }]
    const { jobSummaryList } = await batch.send(new ListJobsCommand({ jobQueue: 'default', filters }))
    return jobSummaryList?.map(({ jobName }) => jobName)
  }

  test('filters by name in any case, by prefix with an asterisk, the newest first', async () => {
    const batch = await aBatch()
    for (const jobName of ['one', 'one-two', 'ONE', 'other']) await submit(batch, { jobName })
    expect(await names(batch, 'One')).toEqual(['ONE', 'one'])
    expect(await names(batch, 'one*')).toEqual(['ONE', 'one-two', 'one'])
    expect(await names(batch, 'on')).toEqual([])
  })

  test('answers page by page, and without a filter only the running', async () => {
    const batch = await aBatch({ vcpus: 3 })
    const jobs = await Promise.all(['a', 'b', 'c', 'd'].map(() => submit(batch, { command: ['sleep', '60'] })))
    for (const jobId of jobs.slice(0, 3)) await reach(batch, jobId, 'RUNNING')
    const first = await batch.send(new ListJobsCommand({ jobQueue: 'default', maxResults: 2 }))
    expect(first.jobSummaryList?.map(({ jobId }) => jobId)).toEqual([jobs[2], jobs[1]])
    const { nextToken } = first
    const second = await batch.send(new ListJobsCommand({ jobQueue: 'default', maxResults: 2, nextToken }))
    expect(second.jobSummaryList?.map(({ jobId }) => jobId)).toEqual([jobs[0]])
    expect(second.nextToken).toBeUndefined()
  })
})

test('faults strike before a call has its effect, or after', async () => {
  const faults = createFaults()
  const batch = await aBatch({ faults })
  faults.inject({ command: 'SubmitJob', when: 'before', error: throttled() })
  await expect(submit(batch, { jobName: 'never' })).rejects.toThrow('Rate exceeded')
  faults.inject({ command: 'SubmitJob', when: 'after', error: new Error('lost') })
  await expect(submit(batch, { jobName: 'there' })).rejects.toThrow('lost')
  const filters = [{ name: 'JOB_NAME', values: ['*'] }]
  const { jobSummaryList } = await batch.send(new ListJobsCommand({ jobQueue: 'default', filters }))
  expect(jobSummaryList?.map(({ jobName }) => jobName)).toEqual(['there'])
  expect(faults.calls.get('SubmitJob')).toBe(2)
})

describe('a restart', () => {
  /** A region in a process of its own, so that it can be killed for real. It submits what its arguments say. */
  function startServer(directory: string, scripts: readonly string[]): ChildProcess {
    const program = join(directory, 'region.ts')
    const library = new URL('../../../lib/emulator/batch/local-batch.ts', import.meta.url)
    writeFileSync(
      program,
      `import { SubmitJobCommand } from ${JSON.stringify(import.meta.resolve('@aws-sdk/client-batch'))}
       import { createLocalBatch } from ${JSON.stringify(library.href)}
       const batch = createLocalBatch({ directory: ${JSON.stringify(directory)}, vcpus: 4, stopTimeoutSeconds: 0.3 })
       await batch.start()
       for (const script of process.argv.slice(2)) {
         const containerOverrides = { command: ['sh', '-c', script] }
         const input = { jobName: 'a-job', jobQueue: 'default', jobDefinition: 'default', containerOverrides }
         console.log((await batch.send(new SubmitJobCommand(input))).jobId)
       }`,
    )
    return spawn(process.execPath, [program, ...scripts], { stdio: ['ignore', 'pipe', 'inherit'] })
  }

  async function idsFrom(region: ChildProcess, count: number): Promise<string[]> {
    let text = ''
    region.stdout?.on('data', (chunk) => {
      text += chunk
    })
    await until(() => text.split('\n').length > count, 'the submits')
    return text.trim().split('\n')
  }

  async function kill(region: ChildProcess): Promise<void> {
    region.kill('SIGKILL')
    await once(region, 'exit')
  }

  test('after kill -9 loses no job and runs none twice', async () => {
    const directory = aDirectory()
    const runs = join(directory, 'ran')
    const waitFor = (flag: string) => `until [ -e ${directory}/${flag} ]; do sleep 0.02; done`
    const script = (name: string, rest: string) => `echo ${name} >> ${runs}; ${rest}`
    const region = startServer(directory, [
      script('done', 'exit 0'),
      script('ends-meanwhile', `${waitFor('down')}; setsid sleep 60 & exit 5`),
      script('runs-on', `${waitFor('up')}; exit 6`),
      script('stopped-later', 'sleep 60'),
      script('lost', 'sleep 60'),
      script('waits', 'exit 0'),
    ])
    const ids = await idsFrom(region, 6)
    const [done, meanwhile, runsOn, stopped, lost, waits] = ids as [string, string, string, string, string, string]
    const count = () => (existsSync(runs) ? readFileSync(runs, 'utf8').trim().split('\n').length : 0)
    await until(() => count() === 5, 'the first five jobs')
    await kill(region)
    for (const { pid } of processesOf(lost)) process.kill(pid, 'SIGKILL')
    writeFileSync(join(directory, 'down'), '')
    await until(() => /^exit 5$/m.test(readFileSync(join(directory, 'runs', meanwhile), 'utf8')), 'the end')
    await until(() => processesOf(meanwhile).length > 0, 'the orphan')

    const batch = await aBatch({ directory })
    expect(await describeOne(batch, runsOn)).toMatchObject({ status: 'RUNNING' })
    expect(await ended(batch, done)).toMatchObject({ status: 'SUCCEEDED' })
    expect(await ended(batch, meanwhile)).toMatchObject({ status: 'FAILED', container: { exitCode: 5 } })
    expect(processesOf(meanwhile)).toEqual([])
    expect((await ended(batch, lost)).statusReason).toMatch(/^Host EC2/)
    expect(await ended(batch, waits)).toMatchObject({ status: 'SUCCEEDED' })
    await terminate(batch, stopped)
    expect(await ended(batch, stopped)).toMatchObject({ status: 'FAILED', isTerminated: true })
    expect(processesOf(stopped)).toEqual([])
    writeFileSync(join(directory, 'up'), '')
    expect(await ended(batch, runsOn)).toMatchObject({ status: 'FAILED', container: { exitCode: 6 } })

    const ran = readFileSync(runs, 'utf8').trim().split('\n')
    expect(ran.toSorted()).toEqual(['done', 'ends-meanwhile', 'lost', 'runs-on', 'stopped-later', 'waits'])
  })

  test('after kill -9 in the middle of many starts runs every answered job once', async () => {
    const directory = aDirectory()
    const runs = join(directory, 'ran')
    const scripts = Array.from({ length: 60 }, () => `echo $AWS_BATCH_JOB_ID >> ${runs}`)
    const region = startServer(directory, scripts)
    const ids = await idsFrom(region, 60)
    await kill(region)
    const batch = await aBatch({ directory })
    for (const jobId of ids) expect(await ended(batch, jobId)).toMatchObject({ status: 'SUCCEEDED' })
    expect(readFileSync(runs, 'utf8').trim().split('\n').toSorted()).toEqual(ids.toSorted())
  })

  test('finds the jobs that were let go still running', async () => {
    const first = await aBatch()
    const jobId = await submit(first, { command: ['sleep', '60'] })
    await reach(first, jobId, 'RUNNING')
    await first.close({ detachJobs: true })
    await until(() => processesOf(jobId).length === 2, 'its shell and its sleep')
    const second = await aBatch({ directory: first.directory })
    expect(await describeOne(second, jobId)).toMatchObject({ status: 'RUNNING' })
    await terminate(second, jobId)
    expect(await ended(second, jobId)).toMatchObject({ status: 'FAILED', isTerminated: true })
  })

  test('goes on with a stop that the last region had begun', async () => {
    const first = await aBatch({ stopTimeoutSeconds: 60 })
    const jobId = await submit(first, shell('trap "" TERM; while :; do sleep 60; done'))
    await until(() => processesOf(jobId).length === 3, 'the job')
    await terminate(first, jobId)
    await first.close({ detachJobs: true })
    const second = await aBatch({ directory: first.directory })
    expect(await ended(second, jobId)).toMatchObject({ status: 'FAILED', isTerminated: true })
    expect(processesOf(jobId)).toEqual([])
  })

  test('finds the host of jobs lost that were killed with their region, and starts what waited', async () => {
    const first = await aBatch({ vcpus: 1 })
    const running = await submit(first, shell('trap "" TERM; setsid sleep 60 & while :; do sleep 60; done'))
    const waiting = await submit(first)
    await until(() => processesOf(running).length === 4, 'the job')
    await first.close({ detachJobs: false })
    expect(processesOf(running)).toEqual([])
    await expect(describeOne(first, running)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const events: BatchJobEvent[] = []
    const second = await aBatch({ directory: first.directory, onEvent: (event) => events.push(event) })
    expect(await ended(second, running)).toMatchObject({
      status: 'FAILED',
      statusReason: expect.stringMatching(/^Host EC2 \(instance .*\) terminated\.$/),
    })
    expect(events.find(({ detail }) => detail.jobId === running)?.detail.status).toBe('FAILED')
    expect(await ended(second, waiting)).toMatchObject({ status: 'SUCCEEDED' })
  })

  test('after a week has forgotten a job and what it left', async () => {
    const first = await aBatch()
    const jobId = await submit(first)
    await ended(first, jobId)
    await first.close({ detachJobs: true })
    const weekLater = Date.now() + 8 * 24 * 3600 * 1000
    const second = await aBatch({ directory: first.directory, now: () => weekLater })
    expect(await describeOne(second, jobId)).toBeUndefined()
    expect(readdirSync(join(first.directory, 'logs'))).toEqual([])
  })
})
