import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CancelRequest, Executor, Handle, JobSpec, Observation, Packing } from '../../lib/back-ends/executor.ts'
import { BackendUnavailable } from '../../lib/domain/errors.ts'
import { jobName } from '../../lib/domain/job-name.ts'
import type { JsonObject } from '../../lib/domain/json.ts'
import type { Faults } from '../../lib/emulator/faults.ts'
import { findJob } from '../support/find-job.ts'
import { patienceMs } from '../support/patience.ts'

/** `quick` succeeds at once, `failing` exits with 3, `long` runs for minutes, `queued` waits until it is cancelled. */
export type JobKind = 'quick' | 'failing' | 'long' | 'queued'

/** An executor over a running back end, and what the contract needs to know about that back end. */
interface ExecutorHarness {
  readonly executor: Executor
  /** A job under a fresh name. */
  job(kind: JobKind): JobSpec
  /** The options of a job that runs a shell script on this machine; for packs. */
  script?(text: string): JsonObject
  /** Well-formed handles of jobs that the back end never had; with `calls`, as many as need that many calls. */
  unknownHandles(calls: 1 | 2): readonly Handle[]
  /** Jobs, or processes of jobs, that are alive on the back end right now. */
  countLive(): number | Promise<number>
  stop(): Promise<void>
  /** Where the back end is reached by SDK commands: their names (`SubmitJob`), and the faults that hit them. */
  readonly calls: {
    readonly faults: Faults
    readonly submit: string
    readonly poll: string
    readonly cancel: string
  }
}

export interface ExecutorContract {
  /** Does a second submit under one name adopt the job that is there? */
  readonly adopts: boolean
  /** Can it promise that no job of a name will start any more (`forestall`)? */
  readonly forestalls?: boolean
  /** Can a job wait in the back end before it runs (`queued`)? */
  readonly queues: boolean
  /** Can several tasks be one job (`packing`)? */
  readonly packs?: boolean
  start(): Promise<ExecutorHarness>
}

/** A job under a fresh name. */
export function aJobSpec(overrides: Partial<JobSpec> & { readonly options: JsonObject }): JobSpec {
  const ref = { dispatchId: randomUUID(), taskId: 7, attempt: 1 }
  const name = jobName(ref)
  return { ...ref, name, environment: { QUENCH_JOB: name, QUENCH_DISPATCH_ID: ref.dispatchId }, ...overrides }
}

/** The members of a pack of one dispatch, each with a file in `directory` for its result. */
export function aPack(ids: readonly number[], options: JsonObject, directory = '/nowhere'): readonly JobSpec[] {
  const dispatchId = randomUUID()
  return ids.map((taskId) => {
    const ref = { dispatchId, taskId, attempt: 1 }
    const name = jobName(ref)
    const environment = {
      QUENCH_DISPATCH_ID: dispatchId,
      QUENCH_TASK_ID: String(taskId),
      QUENCH_ATTEMPT: '1',
      QUENCH_JOB: name,
      QUENCH_INPUTS: '{"split":"file:///it\'s/1"}',
      QUENCH_RESULT: join(directory, `${dispatchId}-${taskId}-1`),
    }
    return { ...ref, name, options, environment }
  })
}

/** What the SDK throws when a call was refused for its rate, before it had any effect. */
export function throttled(): Error {
  const error = new Error('Rate exceeded')
  return Object.assign(error, { name: 'ThrottlingException', $fault: 'client', $metadata: { httpStatusCode: 429 } })
}

/** What the SDK throws when the connection broke: the call may have had its effect. */
export function connectionLost(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
}

/** Where the back end says how long ago, the instants of two looks differ by what was rounded. */
const untimed = ({ startedAt, endedAt, evidence, ...rest }: Observation) => ({
  ...rest,
  evidence: evidence?.what,
  isTimed: [startedAt !== undefined, endedAt !== undefined],
})

const force: CancelRequest = { mode: 'force', reason: 'the contract says so' }

/** The promises of `Executor`, as tests. Every executor runs them against its back end in the region. */
export function describeExecutor(name: string, contract: ExecutorContract): void {
  describe(`the executor contract, kept by ${name}`, () => {
    let harness: ExecutorHarness
    let executor: Executor
    const submitted: Handle[] = []

    beforeAll(async () => {
      harness = await contract.start()
      executor = harness.executor
    })

    afterAll(async () => {
      if (submitted.length > 0) await executor.cancel(submitted, force)
      await harness.stop()
    })

    const submit = async (job: JobSpec) => {
      const handle = await executor.submit(job)
      submitted.push(handle)
      return handle
    }
    const observe = async (handle: Handle) => (await executor.poll([handle]))[0] as Observation
    const cancel = async (handle: Handle, request = force) => (await executor.cancel([handle], request))[0]?.outcome

    /** Polls until the job is in one of `states`; fails when it ends in another. */
    async function reach(handle: Handle, ...states: Observation['state'][]): Promise<Observation> {
      const deadline = Date.now() + patienceMs
      for (;;) {
        const observation = await observe(handle)
        if (states.includes(observation.state)) return observation
        const passing = ['queued', 'running', 'unknown'].includes(observation.state)
        if (!passing || Date.now() > deadline) expect(observation).toMatchObject({ state: states.join(' or ') })
        await sleep(25)
      }
    }

    async function nothingLeft(before: number): Promise<void> {
      const deadline = Date.now() + patienceMs
      while ((await harness.countLive()) > before && Date.now() < deadline) await sleep(25)
      expect(await harness.countLive()).toBeLessThanOrEqual(before)
    }

    describe('a job that is left alone', () => {
      test('is submitted, and polled to its success', async () => {
        const handle = await submit(harness.job('quick'))
        const observation = await reach(handle, 'succeeded')
        expect(observation.failure).toBeUndefined()
        expect(observation.endedAt).toBeGreaterThanOrEqual(observation.startedAt ?? Number.POSITIVE_INFINITY)
      })

      test('fails with its exit code, and is not worth a retry by itself', async () => {
        const observation = await reach(await submit(harness.job('failing')), 'failed')
        expect(observation.exitCode).toBe(3)
        expect(observation.failure).toMatchObject({ retryable: false, source: executor.name })
        expect(observation.failure?.code).not.toBe('')
      })

      test('keeps its end however often it is asked', async () => {
        const handle = await submit(harness.job('quick'))
        const first = await reach(handle, 'succeeded')
        expect(untimed(await observe(handle))).toEqual(untimed(first))
      })
    })

    describe('a name', () => {
      test('that nobody submitted is not found', async () => {
        expect(await findJob(executor, harness.job('quick'))).toBeUndefined()
      })

      test('finds its job while it runs and after it ended', async () => {
        const job = harness.job('long')
        const handle = await submit(job)
        await reach(handle, 'running')
        expect(await findJob(executor, job)).toEqual(handle)
        await cancel(handle)
        await reach(handle, 'cancelled')
        expect(await findJob(executor, job)).toEqual(handle)
      })

      test('says whether a second submit of a name is another job', () => {
        expect(executor.adopts).toBe(contract.adopts)
      })

      test.runIf(contract.adopts)('submitted twice is one job', async () => {
        const job = harness.job('long')
        const [first, second] = await Promise.all([submit(job), submit(job)])
        expect(second).toEqual(first)
        expect(await submit(job)).toEqual(first)
        await cancel(first)
        await reach(first, 'cancelled')
      })
    })

    describe.runIf(contract.forestalls)('a name that is forestalled', () => {
      const forestall = (job: JobSpec) => (executor.forestall as NonNullable<Executor['forestall']>)(job)

      test('never becomes a job, however late its submit comes', async () => {
        const before = await harness.countLive()
        const job = harness.job('long')
        const handle = await forestall(job)
        expect((await executor.poll([handle]))[0]?.state).toBe('cancelled')
        await submit(job)
        await nothingLeft(before)
        expect((await executor.poll([handle]))[0]?.state).toBe('cancelled')
      })

      test('stops the job that is there, and stands for it', async () => {
        const before = await harness.countLive()
        const job = harness.job('long')
        await reach(await submit(job), 'running')
        const handle = await forestall(job)
        await cancel(handle)
        await reach(handle, 'cancelled')
        await nothingLeft(before)
      })
    })

    describe('a cancel', () => {
      test.runIf(contract.queues)('of a queued job stops it before it ran', async () => {
        const before = await harness.countLive()
        const handle = await submit(harness.job('queued'))
        await reach(handle, 'queued')
        expect(await cancel(handle)).toBe('accepted')
        expect((await reach(handle, 'cancelled')).startedAt).toBeUndefined()
        await nothingLeft(before)
      })

      test('straight after the submit stops the job', async () => {
        const before = await harness.countLive()
        const handle = await submit(harness.job('long'))
        expect(await cancel(handle)).toBe('accepted')
        await reach(handle, 'cancelled')
        await nothingLeft(before)
      })

      test.for(['graceful', 'force'] as const)('of a running job, %s, leaves no process behind', async (mode) => {
        const before = await harness.countLive()
        const handle = await submit(harness.job('long'))
        await reach(handle, 'running')
        expect(await cancel(handle, { ...force, mode })).toBe('accepted')
        await reach(handle, 'cancelled')
        await nothingLeft(before)
      })

      test('twice is as good as once', async () => {
        const handle = await submit(harness.job('long'))
        await reach(handle, 'running')
        expect(await cancel(handle)).toBe('accepted')
        expect(['accepted', 'ended']).toContain(await cancel(handle))
        const observation = await reach(handle, 'cancelled')
        expect(['accepted', 'ended']).toContain(await cancel(handle))
        expect(untimed(await observe(handle))).toEqual(untimed(observation))
      })

      test('that comes late changes nothing', async () => {
        const handle = await submit(harness.job('quick'))
        const observation = await reach(handle, 'succeeded')
        expect(['accepted', 'ended']).toContain(await cancel(handle))
        expect(untimed(await observe(handle))).toEqual(untimed(observation))
      })

      test('of one job leaves the others alone', async () => {
        const [one, other] = [await submit(harness.job('long')), await submit(harness.job('long'))]
        await Promise.all([reach(one, 'running'), reach(other, 'running')])
        await cancel(one)
        await reach(one, 'cancelled')
        expect(await observe(other)).toMatchObject({ state: 'running' })
        await cancel(other)
        await reach(other, 'cancelled')
      })
    })

    describe('handles', () => {
      test('that the back end does not know are lost, and harmless to cancel', async () => {
        const handles = harness.unknownHandles(1)
        for (const { state } of await executor.poll(handles)) expect(state).toBe('lost')
        for (const { outcome } of await executor.cancel(handles, force))
          expect(['unknown', 'accepted']).toContain(outcome)
      })

      test('survive JSON and pass their own schema', async () => {
        const handle = await submit(harness.job('quick'))
        const copy = executor.handleSchema.parse(JSON.parse(JSON.stringify(handle)))
        expect(copy).toEqual(handle)
        await reach(copy, 'succeeded')
      })

      test('in no number are asked for nothing', async () => {
        expect(await executor.poll([])).toEqual([])
        expect(await executor.cancel([], force)).toEqual([])
      })

      test('in more than one call are answered in their order', async () => {
        const unknown = harness.unknownHandles(2)
        const [quick, long] = [await submit(harness.job('quick')), await submit(harness.job('long'))]
        await Promise.all([reach(quick, 'succeeded'), reach(long, 'running')])
        const middle = Math.floor(unknown.length / 2)
        const handles = [quick, ...unknown.slice(0, middle), long, ...unknown.slice(middle), quick]
        const lost = unknown.map(() => 'lost')
        const expected = ['succeeded', ...lost.slice(0, middle), 'running', ...lost.slice(middle), 'succeeded']
        expect((await executor.poll(handles)).map(({ state }) => state)).toEqual(expected)
        const outcomes = await executor.cancel(handles, force)
        expect(outcomes).toHaveLength(handles.length)
        expect(outcomes[middle + 1]).toMatchObject({ outcome: 'accepted' })
        await reach(long, 'cancelled')
        await reach(quick, 'succeeded')
      })
    })

    describe.runIf(contract.packs)('a pack', () => {
      let directory: string
      beforeAll(() => {
        directory = mkdtempSync(join(tmpdir(), 'quench-pack-'))
      })
      afterAll(() => rmSync(directory, { recursive: true }))
      const packing = () => executor.packing as Packing
      const cancels = () => harness.calls.faults.calls.get(harness.calls.cancel) ?? 0

      const submitPack = async (script: string) => {
        const options = executor.optionsSchema.parse(harness.script?.(script))
        const jobs = aPack([4, 5, 9], options, directory)
        expect(packing().problem(jobs.map((job) => job.options))).toBeUndefined()
        const handles = await packing().submit(jobs, jobs[0]?.name ?? '')
        submitted.push(...handles)
        return { jobs, handles: handles as [Handle, Handle, Handle] }
      }

      test('runs to its end, each member as its own task and with its own exit code', async () => {
        const script =
          'echo "$QUENCH_TASK_ID $QUENCH_TASK_INDEX $QUENCH_JOB $QUENCH_INPUTS" >"$QUENCH_RESULT"; exit "$QUENCH_TASK_INDEX"'
        const { jobs, handles } = await submitPack(script)
        const [first, second, third] = handles
        await Promise.all([reach(first, 'succeeded'), reach(second, 'failed'), reach(third, 'failed')])
        const observations = await executor.poll([third, first, second, first])
        expect(observations.map(({ exitCode = 0 }) => exitCode)).toEqual([2, 0, 1, 0])
        const again = [observations[1], observations[2], observations[0]] as readonly Observation[]
        expect((await executor.poll(handles)).map(untimed)).toEqual(again.map(untimed))
        const results = jobs.map(({ environment }) => readFileSync(environment.QUENCH_RESULT ?? '', 'utf8').trim())
        const expected = jobs.map(({ taskId, name, environment }, index) => {
          return `${taskId} ${index} ${name} ${environment.QUENCH_INPUTS}`
        })
        expect(results).toEqual(expected)
      })

      test('is found by its name, while it runs and after it ended, with the same handles', async () => {
        const { jobs, handles } = await submitPack('sleep 300')
        const name = jobs[0]?.name ?? ''
        expect(await packing().find(jobs, name)).toEqual(handles)
        for (const handle of handles)
          expect(executor.handleSchema.parse(JSON.parse(JSON.stringify(handle)))).toEqual(handle)
        await executor.cancel(handles, force)
        await Promise.all(handles.map((handle) => reach(handle, 'cancelled')))
        expect(await packing().find(jobs, name)).toEqual(handles)
      })

      test('that nobody submitted is not found', async () => {
        const jobs = aPack([1, 2], executor.optionsSchema.parse(harness.script?.('true')))
        expect(await packing().find(jobs, jobs[0]?.name ?? '')).toEqual([undefined, undefined])
      })

      test('loses one member to a cancel, and the others run on', async () => {
        const before = await harness.countLive()
        const { jobs, handles } = await submitPack('until [ -e "$QUENCH_RESULT.go" ]; do sleep 0.05; done')
        const [first, second, third] = handles
        await Promise.all(handles.map((handle) => reach(handle, 'running')))
        expect(await cancel(second)).toBe('accepted')
        await reach(second, 'cancelled')
        const states = (await executor.poll(handles)).map(({ state }) => state)
        expect(states).toEqual(['running', 'cancelled', 'running'])
        await executor.cancel([first, third], force)
        await Promise.all([reach(first, 'cancelled'), reach(third, 'cancelled')])
        expect(jobs.some(({ environment }) => existsSync(environment.QUENCH_RESULT ?? ''))).toBe(false)
        await nothingLeft(before)
      })

      test('is stopped as a whole by one call', async () => {
        const before = await harness.countLive()
        const { handles } = await submitPack('sleep 300')
        await Promise.all(handles.map((handle) => reach(handle, 'running')))
        const asked = cancels()
        const outcomes = await executor.cancel(handles, force)
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted'])
        expect(cancels() - asked).toBeLessThanOrEqual(1)
        await Promise.all(handles.map((handle) => reach(handle, 'cancelled')))
        await nothingLeft(before)
      })

      test('whose submit had its effect before its answer was lost is found all the same', async () => {
        harness.calls.faults.inject({ command: harness.calls.submit, when: 'after', error: connectionLost() })
        const jobs = aPack([7, 8], executor.optionsSchema.parse(harness.script?.('sleep 300')))
        const error = await packing()
          .submit(jobs, jobs[0]?.name ?? '')
          .catch((caught: unknown) => caught)
        expect(error).toBeInstanceOf(BackendUnavailable)
        expect(error).toMatchObject({ arrived: 'unknown' })
        const found = (await packing().find(jobs, jobs[0]?.name ?? '')) as Handle[]
        submitted.push(...found)
        await executor.cancel(found, force)
        await Promise.all(found.map((handle) => reach(handle, 'cancelled')))
      })
    })

    test('options with an unknown key are refused', () => {
      const { options } = harness.job('quick')
      expect(executor.optionsSchema.safeParse(options).success).toBe(true)
      expect(executor.optionsSchema.safeParse({ ...options, noSuchOption: 1 }).success).toBe(false)
    })

    describe('a call that fails', () => {
      const inject = (verb: 'submit' | 'poll' | 'cancel', when: 'before' | 'after', error: Error) => {
        harness.calls.faults.inject({ command: harness.calls[verb], when, error })
      }

      test('for its rate had no effect, and says so', async () => {
        const job = harness.job('quick')
        inject('submit', 'before', throttled())
        const error = await submit(job).catch((caught: unknown) => caught)
        expect(error).toBeInstanceOf(BackendUnavailable)
        expect(error).toMatchObject({ arrived: 'no' })
        expect(await findJob(executor, job)).toBeUndefined()
      })

      test('after it took effect leaves a job that its name finds', async () => {
        const job = harness.job('long')
        inject('submit', 'after', connectionLost())
        const error = await submit(job).catch((caught: unknown) => caught)
        expect(error).toBeInstanceOf(BackendUnavailable)
        expect(error).toMatchObject({ arrived: 'unknown' })
        const found = (await findJob(executor, job)) as Handle
        expect(found).toBeDefined()
        expect(await cancel(found)).toBe('accepted')
        await reach(found, 'cancelled')
      })

      test('as a whole is thrown, by poll and by cancel', async () => {
        const handle = await submit(harness.job('long'))
        await reach(handle, 'running')
        inject('poll', 'before', throttled())
        await expect(executor.poll([handle])).rejects.toBeInstanceOf(BackendUnavailable)
        inject('cancel', 'before', throttled())
        await expect(executor.cancel([handle], force)).rejects.toBeInstanceOf(BackendUnavailable)
        expect(await observe(handle)).toMatchObject({ state: 'running' })
        inject('cancel', 'after', connectionLost())
        await expect(executor.cancel([handle], force)).rejects.toBeInstanceOf(BackendUnavailable)
        await reach(handle, 'cancelled')
      })

      test('among several loses only the answers it carried', async () => {
        const handles = harness.unknownHandles(2)
        inject('poll', 'before', throttled())
        const states = (await executor.poll(handles)).map(({ state }) => state)
        expect(states).toHaveLength(handles.length)
        expect(new Set(states)).toEqual(new Set(['unknown', 'lost']))
        inject('cancel', 'before', throttled())
        const outcomes = (await executor.cancel(handles, force)).map(({ outcome }) => outcome)
        expect(outcomes).toHaveLength(handles.length)
        expect(outcomes).toContain('failed')
        expect(outcomes.some((outcome) => outcome === 'accepted' || outcome === 'unknown')).toBe(true)
      })
    })
  })
}
