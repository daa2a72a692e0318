import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BatchClient, SubmitJobCommandInput } from '@aws-sdk/client-batch'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBatchExecutor } from '../../../lib/back-ends/batch/executor.ts'
import { formatIdRanges, parseIdRanges } from '../../../lib/back-ends/batch/id-ranges.ts'
import { asOneJob } from '../../../lib/back-ends/batch/packing.ts'
import type { JobSpec, Packing } from '../../../lib/back-ends/executor.ts'
import { BackendRejected } from '../../../lib/domain/errors.ts'
import type { JsonObject } from '../../../lib/domain/json.ts'
import { createLocalBatch } from '../../../lib/emulator/batch/local-batch.ts'
import { createFaults } from '../../../lib/emulator/faults.ts'
import { aPack, throttled } from '../../contracts/executor-contract.ts'

const request = { mode: 'force', reason: 'budget' } as const
const jobId = randomUUID()
const members = (size: number, id = jobId) =>
  Array.from({ length: size }, (_, index) => ({ jobId: id, jobQueue: 'default', name: 'quench-x', index, size }))
const upTo = (size: number) => Array.from({ length: size }, (_, id) => id)

/** A Batch that gives recorded answers, and keeps what it was asked. */
function aBatch(answer: (name: string, jobs: readonly string[]) => unknown) {
  const asked: { name: string; input: Record<string, unknown> }[] = []
  const send = async (command: { input: { jobs?: string[] }; constructor: { name: string } }) => {
    const name = command.constructor.name.replace('Command', '')
    asked.push({ name, input: command.input })
    return answer(name, command.input.jobs ?? [])
  }
  const batch = { send: send as unknown as BatchClient['send'] }
  const executor = createBatchExecutor({ batch, submitter: batch })
  const sizes = (name: string) => asked.filter((one) => one.name === name).map(({ input }) => (input.jobs as []).length)
  return { executor, packing: executor.packing as Packing, asked, sizes }
}

describe('ids as ranges', () => {
  test('come back as they were, in their order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(10_000), { minLength: 1 }), (ids) => {
        expect(parseIdRanges(formatIdRanges(ids))).toEqual(ids)
      }),
    )
  })

  test('are as short as the ids follow each other', () => {
    expect(formatIdRanges([3, 4, 5, 9, 1, 2])).toBe('3-5,9,1-2')
    expect(formatIdRanges(upTo(10_000))).toBe('0-9999')
  })

  test.for(['', '3-', 'a', '1,,2', '-1', '1-2-3', '$(id)'])('are none in %j', (text) => {
    expect(parseIdRanges(text)).toEqual([])
  })
})

/** What a child of the job sees, as Batch would start it. */
function runChild(job: JobSpec, index: number, shell = 'sh'): { code: number | null; seen: string[] } {
  const [, ...args] = (job.options as { command: string[] }).command
  const own = (job.options as { environment?: Record<string, string> }).environment
  const env = { PATH: process.env.PATH, ...own, ...job.environment, AWS_BATCH_JOB_ARRAY_INDEX: String(index) }
  const { status, stdout } = spawnSync(shell, args, { env, encoding: 'utf8' })
  return { code: status, seen: stdout.split('\0').slice(0, -1) }
}

const names = [
  'QUENCH_TASK_ID',
  'QUENCH_TASK_INDEX',
  'QUENCH_JOB',
  'QUENCH_RESULT',
  'QUENCH_INPUTS',
  'n',
  'first',
  'IFS',
]
const printed = `printf '%s\\0' ${names.map((name) => `"$${name}"`).join(' ')} "\${QUENCH_PACK_TASKS-unset}" "$@"`
const printing = (...args: string[]): JsonObject => ({
  command: ['sh', '-c', printed, 'sh', ...args],
  environment: { n: 'mine', first: "it's mine", range: '*' },
})

describe('a child of a pack', () => {
  const shells = ['sh', 'bash', 'dash'].filter((name) => name === 'sh' || existsSync(`/bin/${name}`))

  test.for(shells)('is its task in %s, whatever the texts around it are made of', (shell) => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom("'", '"', '$(exit 9)', '`id`', '\n', '-n', '--', '\\', '{{x}}', '*', '$1', 'a b', '', '{task}'),
    )
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(9_999), { minLength: 2, maxLength: 12 }),
        fc.array(
          text.map((one) => one.replaceAll('\0', '')),
          { maxLength: 4 },
        ),
        text.map((one) => one.replaceAll(/[\0\d]/g, '')),
        fc.nat(),
        (ids, args, around, at) => {
          const jobs = aPack(ids, printing(...args)).map((job) => {
            const uri = `s3://7${around}/${job.taskId}/1${around}`
            return { ...job, environment: { ...job.environment, QUENCH_RESULT: uri } }
          })
          const index = at % jobs.length
          const { taskId, name, environment } = jobs[index] as JobSpec
          const { code, seen } = runChild(asOneJob(jobs, 'quench-x'), index, shell)
          const own = [`${taskId}`, `${index}`, name, environment.QUENCH_RESULT, environment.QUENCH_INPUTS]
          expect(seen).toEqual([...own, 'mine', "it's mine", ' \t\n', 'unset', ...args])
          expect(code).toBe(0)
        },
      ),
      { numRuns: shell === 'sh' ? 60 : 8 },
    )
  })

  test('hands the exit code of its command on, and is that command', () => {
    const jobs = aPack([1, 2], { command: ['sh', '-c', 'exit 7'] })
    expect(runChild(asOneJob(jobs, 'x'), 1).code).toBe(7)
  })

  test('without a task, or without a place in the array, runs nothing', () => {
    const job = asOneJob(aPack([5, 6, 9], printing()), 'x')
    expect(runChild(job, 3)).toEqual({ code: 125, seen: [] })
    const [, ...args] = (job.options as { command: string[] }).command
    const { status, stdout } = spawnSync('sh', args, { env: { PATH: process.env.PATH, ...job.environment } })
    expect([status, stdout.length]).toEqual([125, 0])
  })
})

describe('a pack that is submitted', () => {
  const submit = async (jobs: readonly JobSpec[]) => {
    const { packing, asked } = aBatch(() => ({ jobId }))
    const handles = await packing.submit(jobs, jobs[0]?.name ?? '')
    return { handles, input: asked[0]?.input as unknown as SubmitJobCommandInput, calls: asked.length }
  }

  test('is one array job, with a handle for each member', async () => {
    const jobs = aPack([4, 5, 9], { command: ['a'], jobQueue: 'fast', jobDefinition: 'd', environment: { A: 'b' } })
    const { handles, input, calls } = await submit(jobs)
    expect(calls).toBe(1)
    expect(input).toMatchObject({ jobName: jobs[0]?.name, jobQueue: 'fast', arrayProperties: { size: 3 } })
    expect(handles).toEqual(
      [0, 1, 2].map((index) => ({ jobId, jobQueue: 'fast', name: jobs[0]?.name, index, size: 3 })),
    )
    const environment = Object.fromEntries(
      input.containerOverrides?.environment?.map((one) => [one.name, one.value]) ?? [],
    )
    expect(environment).toMatchObject({ A: 'b', QUENCH_PACK_TASKS: '4-5,9', QUENCH_ATTEMPT: '1' })
    expect(Object.keys(environment)).not.toContain('QUENCH_RESULT')
  })

  test('fits the 30 KiB of SubmitJob with 10,000 members, and with 4,000 that do not follow each other', async () => {
    expect((await submit(aPack(upTo(10_000), { command: ['a'] }))).handles).toHaveLength(10_000)
    expect(
      (
        await submit(
          aPack(
            upTo(4_000).map((id) => 2 * id),
            { command: ['a'] },
          ),
        )
      ).handles,
    ).toHaveLength(4_000)
  })

  const two = aPack([1, 2], { command: ['a'] })
  const changed = (change: (job: JobSpec) => Partial<JobSpec>) =>
    two.map((job, index) => (index === 0 ? job : { ...job, ...change(job) }))
  const wrong: [string, readonly JobSpec[], RegExp][] = [
    ['with one member', two.slice(0, 1), /2 to 10000 children/],
    ['with 10,001 members', aPack(upTo(10_001), { command: ['a'] }), /2 to 10000 children/],
    ['with two commands', changed(() => ({ options: { command: ['b'] } })), /must not differ in command/],
    ['with two time-outs', changed(() => ({ timeoutSeconds: 60 })), /must not differ in timeoutSeconds/],
    [
      'with results that the task id does not tell',
      changed(({ environment }) => ({ environment: { ...environment, QUENCH_RESULT: 's3://elsewhere' } })),
      /differ in QUENCH_RESULT by more than their task id/,
    ],
    [
      'with a result that goes on where the first has ended',
      two.map((job, index) => ({ ...job, environment: { QUENCH_RESULT: ['s3://r/', 's3://r/2'][index] ?? '' } })),
      /differ in QUENCH_RESULT by more than their task id/,
    ],
    [
      'with a variable that one of them has not',
      two.map((job, index) => ({ ...job, environment: index === 0 ? { MORE: 'x' } : {} })),
      /differ in MORE by more than their task id/,
    ],
    [
      'with inputs that differ',
      changed(({ environment }) => ({ environment: { ...environment, QUENCH_INPUTS: '{}' } })),
      /differ in QUENCH_INPUTS/,
    ],
    ['with more than 30 KiB', aPack([1, 2], { command: ['x'.repeat(31 * 1024)] }), /SubmitJob takes 30 KiB/],
  ]
  test.each(wrong)('%s is refused before the call', async (_, jobs, message) => {
    const { packing, asked } = aBatch(() => ({ jobId }))
    const error = await packing.submit(jobs, 'quench-x').catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(BackendRejected)
    expect((error as Error).message).toMatch(message)
    expect(asked).toEqual([])
  })

  test('may not differ in options, and is told in which', () => {
    const { packing } = aBatch(() => ({}))
    expect(packing.mayDifferInNeeds).toBe(false)
    expect(
      packing.problem([
        { command: ['a'], vcpus: 1 },
        { vcpus: 1, command: ['a'] },
      ]),
    ).toBeUndefined()
    expect(packing.problem([{ command: ['a'] }, { command: ['a'], vcpus: 1 }])).toMatch(/differ in vcpus/)
  })
})

describe('a pack that is looked for', () => {
  const summary = { jobName: 'quench-x', jobId, createdAt: 1 }
  const environment = [{ name: 'QUENCH_PACK_TASKS', value: '4-5,9' }]
  const jobs = aPack([9, 4, 7], { command: ['a'], jobQueue: 'default' })

  test('is what its job says: members that are not in it have none', async () => {
    const { packing } = aBatch((name) =>
      name === 'ListJobs'
        ? { jobSummaryList: [{ ...summary, arrayProperties: { size: 3 } }] }
        : { jobs: [{ jobId, arrayProperties: { size: 3 }, container: { environment } }] },
    )
    const [third, first] = [2, 0].map((index) => members(3)[index])
    expect(await packing.find(jobs, 'quench-x')).toEqual([third, first, undefined])
  })

  test('is not a job that is no array', async () => {
    const { packing } = aBatch(() => ({ jobSummaryList: [summary] }))
    expect(await packing.find(jobs, 'quench-x')).toEqual([undefined, undefined, undefined])
  })
})

describe('members that are polled', () => {
  test('are asked for by parent and index, 100 a call', async () => {
    const { executor, asked, sizes } = aBatch((_, jobs) => ({
      jobs: jobs.map((id) => ({ jobId: id, status: 'RUNNING' })),
    }))
    expect(new Set((await executor.poll(members(250))).map(({ state }) => state))).toEqual(new Set(['running']))
    expect(sizes('DescribeJobs')).toEqual([100, 100, 50])
    expect(asked[0]?.input.jobs).toContain(`${jobId}:1`)
  })

  test.each([
    ['queued while their parent waits', { status: 'PENDING' }, 'queued'],
    ['cancelled with their parent', { status: 'FAILED', isCancelled: true }, 'cancelled'],
    ['lost when their parent has ended otherwise', { status: 'SUCCEEDED' }, 'lost'],
  ])('and that are not there are %s', async (_, parent, state) => {
    const { executor } = aBatch((_, jobs) => ({ jobs: jobs.includes(jobId) ? [{ jobId, ...parent }] : [] }))
    expect((await executor.poll(members(2))).map((seen) => seen.state)).toEqual([state, state])
  })

  test('and whose parent is not there either are lost', async () => {
    const { executor } = aBatch(() => ({ jobs: [] }))
    expect(await executor.poll(members(2))).toEqual([{ state: 'lost' }, { state: 'lost' }])
  })
})

describe('members that are cancelled', () => {
  const accepted = (count: number) => Array.from({ length: count }, () => ({ outcome: 'accepted' }))
  const status = (states: Record<string, string>) => (_: string, jobs: readonly string[]) => ({
    jobs: jobs.map((id) => ({ jobId: id, status: states[id] ?? 'SUCCEEDED' })),
  })

  test('all at once cost one call, even when they are 10,000', async () => {
    const { executor, asked } = aBatch(() => ({}))
    expect(executor.chunk.cancel).toBeGreaterThanOrEqual(10_000)
    expect(await executor.cancel(members(10_000), request)).toEqual(accepted(10_000))
    expect(asked).toEqual([{ name: 'TerminateJobs', input: { jobs: [jobId], reason: 'budget' } }])
  })

  test('of several packs and jobs of their own share calls', async () => {
    const { executor, asked } = aBatch(() => ({}))
    const other = randomUUID()
    const alone = { jobId: randomUUID(), jobQueue: 'default', name: 'quench-y' }
    await executor.cancel([...members(60), alone, ...members(3, other).slice(1)], request)
    expect(asked.map(({ input }) => input.jobs)).toEqual([[jobId, alone.jobId, `${other}:1`, `${other}:2`]])
  })

  test('but for a few that have ended cost one question and one call', async () => {
    const { executor, asked, sizes } = aBatch(status({}))
    expect(await executor.cancel(members(1000).slice(30), request)).toEqual(accepted(970))
    expect(sizes('DescribeJobs')).toEqual([30])
    expect(asked.at(-1)).toMatchObject({ name: 'TerminateJobs', input: { jobs: [jobId] } })
  })

  test('spare those that are not meant', async () => {
    const { executor, asked, sizes } = aBatch(status({ [`${jobId}:0`]: 'RUNNABLE' }))
    await executor.cancel(members(200).slice(1), request)
    expect(sizes('TerminateJobs')).toEqual([50, 50, 50, 49])
    expect(asked.some(({ name, input }) => name === 'TerminateJobs' && (input.jobs as string[]).includes(jobId))).toBe(
      false,
    )
  })

  test('spare them as well when nobody can say whether they have ended', async () => {
    const { executor, sizes } = aBatch((name) => (name === 'DescribeJobs' ? Promise.reject(throttled()) : {}))
    await executor.cancel(members(200).slice(1), request)
    expect(sizes('TerminateJobs')).toEqual([50, 50, 50, 49])
  })

  test('share the error of their parent', async () => {
    const errors = [{ job: jobId, code: 'ThrottlingException', message: 'slow' }]
    const { executor } = aBatch(() => ({ errors }))
    const outcomes = await executor.cancel(members(3), request)
    expect(outcomes).toEqual(members(3).map(() => ({ outcome: 'failed', message: 'ThrottlingException: slow' })))
  })
})

test('a pack of 1,000 in the region is stopped by one call', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quench-batch-pack-'))
  const faults = createFaults()
  const batch = createLocalBatch({ directory, vcpus: 4, stopTimeoutSeconds: 0.3, faults })
  await batch.start()
  const executor = createBatchExecutor({ batch, submitter: batch })
  const jobs = aPack(upTo(1000), executor.optionsSchema.parse({ command: ['sleep', '300'] }))
  const handles = await (executor.packing as Packing).submit(jobs, jobs[0]?.name ?? '')
  await expect.poll(async () => (await executor.poll(handles.slice(0, 1)))[0]?.state).toBe('running')
  await executor.cancel(handles, request)
  expect([faults.calls.get('SubmitJob'), faults.calls.get('TerminateJobs')]).toEqual([1, 1])
  const states = async () => [...new Set((await executor.poll(handles)).map(({ state }) => state))]
  await expect.poll(states).toEqual(['cancelled'])
  await batch.close({ detachJobs: false })
  rmSync(directory, { recursive: true })
})
