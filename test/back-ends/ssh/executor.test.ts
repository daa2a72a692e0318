import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Handle, JobSpec, Packing } from '../../../lib/back-ends/executor.ts'
import { createSshExecutor } from '../../../lib/back-ends/ssh/executor.ts'
import { BackendRejected, BackendUnavailable } from '../../../lib/domain/errors.ts'
import { createFaults } from '../../../lib/emulator/faults.ts'
import { readBootId } from '../../../lib/emulator/processes/process-tree.ts'
import { createLocalRunCommand } from '../../../lib/emulator/run-command/local-run-command.ts'
import { aJobSpec, aPack, describeExecutor } from '../../contracts/executor-contract.ts'
import { soughtNow } from '../../support/find-job.ts'
import { createScratchHost, eventually } from '../../support/scratch-host.ts'

const hosts = { 'lab-1': { instanceId: 'i-0001' }, 'lab-2': { instanceId: 'i-0002' } }
const offline = { 'lab-3': { instanceId: 'i-0003' } }

function startRegion() {
  const scratch = createScratchHost()
  const faults = createFaults()
  const ssm = createLocalRunCommand({ ...scratch, hosts, faults })
  const { befall, describeInstance } = ssm
  const executor = createSshExecutor({ ssm, describeInstance, hosts: { ...hosts, ...offline } })
  const stop = async () => {
    await ssm.close()
    expect(await scratch.dispose(), 'processes left on the hosts').toBe(0)
  }
  return { scratch, faults, executor, befall, stop }
}

const aHandle = (host: keyof typeof hosts | 'lab-3', name = `quench-${randomUUID()}-1-1`): Handle => {
  const { instanceId } = { ...hosts, ...offline }[host]
  return { host, instanceId, name, pid: 4000, startTime: 123_456, bootId: readBootId() }
}

const commands = { quick: 'true', failing: 'exit 3', long: 'sleep 300', queued: 'sleep 300' }

describeExecutor('ssh', {
  adopts: true,
  forestalls: true,
  queues: false,
  packs: true,
  start: async () => {
    const { scratch, faults, executor, stop } = startRegion()
    return {
      executor,
      job: (kind) => aJobSpec({ options: { host: 'lab-1', command: commands[kind] } }),
      script: (text) => ({ host: 'lab-1', command: text }),
      unknownHandles: (calls) => (calls === 1 ? [aHandle('lab-1')] : [aHandle('lab-1'), aHandle('lab-2')]),
      countLive: scratch.countLive,
      stop,
      calls: { faults, submit: 'SendCommand', poll: 'SendCommand', cancel: 'SendCommand' },
    }
  },
})

describe('jobs on hosts', () => {
  const { faults, executor, stop } = startRegion()
  afterAll(stop)

  const sent = () => faults.calls.get('SendCommand') ?? 0
  const aJob = (options: Record<string, string> = {}, overrides: Partial<JobSpec> = {}) =>
    aJobSpec({ options: { host: 'lab-1', command: 'true', ...options }, ...overrides })

  test('are polled and stopped with one command a host, however many they are', async () => {
    const real = await executor.submit(aJob({ command: 'sleep 300' }))
    const other = await executor.submit(aJob({ command: 'sleep 300', host: 'lab-2' }))
    const dispatch = randomUUID()
    const handles = [
      ...Array.from({ length: 200 }, (_, id) => aHandle(id % 2 ? 'lab-1' : 'lab-2', `quench-${dispatch}-${id}-1`)),
      real,
      ...Array.from({ length: 100 }, () => aHandle('lab-1')),
      other,
    ]
    const before = sent()
    const states = (await executor.poll(handles)).map(({ state }) => state)
    expect(sent() - before).toBe(2)
    expect(states.filter((state) => state === 'lost')).toHaveLength(300)
    expect([states[200], states.at(-1)]).toEqual(['running', 'running'])

    expect((await executor.cancel(handles, { mode: 'force', reason: '' })).map(({ outcome }) => outcome)).toEqual(
      handles.map(() => 'accepted'),
    )
    expect(sent() - before).toBe(4)
    expect(new Set((await executor.poll(handles)).map(({ state }) => state))).toEqual(new Set(['cancelled']))
  })

  test('whose answers do not fit one output are asked for again', async () => {
    const dispatch = randomUUID()
    const handles = Array.from({ length: 2100 }, (_, id) => aHandle('lab-1', `quench-${dispatch}-${id}-1`))
    const before = sent()
    expect(new Set((await executor.poll(handles)).map(({ state }) => state))).toEqual(new Set(['lost']))
    expect(sent() - before).toBe(2)
  })

  test('that do not fit one command are asked for in several', async () => {
    const handles = Array.from({ length: 900 }, () => aHandle('lab-1'))
    const before = sent()
    expect((await executor.poll(handles)).map(({ state }) => state)).toEqual(handles.map(() => 'lost'))
    expect(sent() - before).toBe(2)
  })

  test('of a host that does not answer are unknown, and the others are not', async () => {
    const handles = [aHandle('lab-3'), aHandle('lab-1'), aHandle('lab-3')]
    const observations = await executor.poll(handles)
    expect(observations.map(({ state }) => state)).toEqual(['unknown', 'lost', 'unknown'])
    expect(observations[0]?.failure).toMatchObject({ code: 'HostAway', retryable: true, source: 'ssh' })
    const outcomes = await executor.cancel(handles, { mode: 'graceful', reason: '' })
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['failed', 'accepted', 'failed'])
    await expect(executor.submit(aJob({ host: 'lab-3' }))).rejects.toMatchObject({ arrived: 'no' })
    expect((await executor.poll([aHandle('lab-3')]))[0]?.state).toBe('unknown')
  })

  test('that ran out of time say so', async () => {
    const handle = await executor.submit(aJob({ command: 'sleep 300' }, { timeoutSeconds: 1 }))
    await eventually(async () => (await executor.poll([handle]))[0]?.state === 'failed')
    const [observation] = await executor.poll([handle])
    expect(observation?.failure).toMatchObject({ code: 'TimedOut', retryable: false })
  })

  test('have logs, a stream each, that are read on from where one was', async () => {
    const command = "printf 'caf\\303'; sleep 0.3; printf '\\251 \\377\\n'; seq 1 9000; echo oh >&2"
    const handle = await executor.submit(aJob({ command }))
    await eventually(async () => (await executor.poll([handle]))[0]?.state === 'succeeded')
    let log = ''
    let offset = 0
    for (;;) {
      const part = await executor.readLog?.(handle, { stream: 'stdout', offset })
      if (!part?.text) break
      log += part.text
      offset = part.nextOffset
    }
    const numbers = Array.from({ length: 9000 }, (_, n) => `${n + 1}\n`).join('')
    expect(log).toBe(`café \ufffd\n${numbers}`)
    expect(await executor.readLog?.(handle, { stream: 'stderr', offset: 1 })).toEqual({ text: 'h\n', nextOffset: 3 })
  })

  test('that have not begun, or are not there, have an empty log', async () => {
    const nothing = { text: '', nextOffset: 5 }
    expect(await executor.readLog?.(aHandle('lab-1'), { stream: 'stdout', offset: 5 })).toEqual(nothing)
    await expect(executor.readLog?.(aHandle('lab-3'), { stream: 'stdout', offset: 5 })).rejects.toMatchObject({
      code: 'BackendUnavailable',
    })
  })

  test('that a signal ended say which', async () => {
    const handle = await executor.submit(aJob({ command: 'kill -KILL $$' }))
    await eventually(async () => (await executor.poll([handle]))[0]?.state === 'failed')
    expect((await executor.poll([handle]))[0]?.failure?.message).toBe('exit code 137 (signal 9)')
  })
})

describe('a pack on a host', () => {
  const { scratch, faults, executor, stop } = startRegion()
  afterAll(stop)
  const packing = executor.packing as Packing
  const sent = () => faults.calls.get('SendCommand') ?? 0
  const force = { mode: 'force', reason: '' } as const

  test('is launched by one command, and by several where the document is full', async () => {
    const few = aPack([1, 2, 3, 4, 5], { host: 'lab-1', command: 'sleep 300' })
    const before = sent()
    const handles = [...(await packing.submit(few, few[0]?.name ?? ''))]
    expect(sent() - before).toBe(1)
    const many = aPack([0, 1, 2], { host: 'lab-1', command: `sleep 300 # ${'x'.repeat(20_000)}` })
    handles.push(...(await packing.submit(many, many[0]?.name ?? '')))
    expect(sent() - before).toBe(3)
    expect((await executor.poll(handles)).map(({ state }) => state)).toEqual(handles.map(() => 'running'))
    expect((await executor.cancel(handles, force)).map(({ outcome }) => outcome)).toEqual(handles.map(() => 'accepted'))
    expect(sent() - before).toBe(5)
  })

  test('of which one member cannot be launched is found without it, and says that it may be there', async () => {
    const jobs = aPack([1, 2, 3], { host: 'lab-1', command: 'sleep 300' })
    const name = jobs[0]?.name ?? ''
    writeFileSync(join(scratch.directory, 'lab-1', 'jobs', jobs[1]?.name ?? ''), 'in the way')
    await expect(packing.submit(jobs, name)).rejects.toMatchObject({ code: 'BackendUnavailable', arrived: 'unknown' })
    const found = await packing.find(jobs, name)
    expect(found.map((handle) => handle?.name)).toEqual([name, undefined, jobs[2]?.name])
    await executor.cancel(
      found.filter((handle) => handle !== undefined),
      force,
    )
  })

  test('on a host that is offline was not launched', async () => {
    const jobs = aPack([1, 2], { host: 'lab-3', command: 'true' })
    await expect(packing.submit(jobs, jobs[0]?.name ?? '')).rejects.toMatchObject({ arrived: 'no' })
  })

  test('is on one host, or told which it names', () => {
    expect(
      packing.problem([
        { host: 'lab-1', command: 'a' },
        { host: 'lab-1', command: 'b', cwd: '/' },
      ]),
    ).toBeUndefined()
    expect(packing.problem([{ host: 'lab-1' }, { host: 'lab-2' }])).toMatch(/lab-1, lab-2/)
  })
})

describe('options for a host', () => {
  const { optionsSchema } = createSshExecutor({ ssm: { send: () => Promise.reject() }, hosts })
  const problems = (options: object) =>
    optionsSchema.safeParse({ host: 'lab-1', command: 'true', ...options }).error?.issues.map(({ message }) => message)

  test('are a command, a folder and variables', () => {
    expect(problems({ cwd: '/tmp', environment: { A: "it's {{x}}" } })).toBeUndefined()
  })

  test('name a host that is configured, or are told which are', () => {
    expect(problems({ host: 'lab-9' })).toEqual(['must be one of lab-1, lab-2'])
  })

  test('fit the document of a command', () => {
    expect(problems({ command: 'x'.repeat(40_000) })).toBeUndefined()
    expect(problems({ command: 'x'.repeat(60_000) })?.[0]).toMatch(/bytes too long for Run Command/)
    expect(problems({ environment: { A: "'".repeat(20_000) } })?.[0]).toMatch(/bytes too long for Run Command/)
  })

  test.for([
    { command: '' },
    { command: 'a\0b' },
    { cwd: '' },
    { environment: { 'A-B': '' } },
    { environment: { QUENCH_KEEPER: 'x' } },
    { environment: { A: '\0' } },
  ])('are refused: %j', (options) => {
    expect(problems(options)).toHaveLength(1)
  })
})

describe('a host', () => {
  const { scratch, executor, befall, stop } = startRegion()
  const lab1 = hosts['lab-1'].instanceId
  afterAll(stop)
  const aJob = () => aJobSpec({ options: { host: 'lab-1', command: 'sleep 300' } })
  const force = { mode: 'force', reason: '' } as const
  const cancelAll = async (handle: Handle) => {
    await executor.cancel([handle], force)
    await eventually(async () => (await executor.poll([handle]))[0]?.state === 'cancelled' && scratch.countLive() === 0)
  }

  test('that is terminated has lost its jobs, has none of any name, and takes no more', async () => {
    const job = aJob()
    const handle = await executor.submit(job)
    befall(lab1, 'terminated')
    expect(await executor.poll([handle])).toEqual([{ state: 'lost' }])
    expect(await executor.cancel([handle], force)).toMatchObject([{ outcome: 'unknown' }])
    expect(await executor.find([soughtNow(job)])).toEqual([{ outcome: 'none' }])
    const tombstone = await executor.forestall?.(aJob())
    expect(await executor.poll([tombstone as Handle])).toEqual([{ state: 'lost' }])
    await expect(executor.submit(aJob())).rejects.toThrow(/host lab-1 is no more: i-0001 was terminated/)
    await expect(executor.submit(aJob())).rejects.toBeInstanceOf(BackendRejected)
    const pack = aPack([1, 2], job.options)
    await expect((executor.packing as Packing).submit(pack, pack[0]?.name ?? '')).rejects.toBeInstanceOf(
      BackendRejected,
    )
    befall(lab1, 'online')
    await cancelAll(handle)
  })

  test.each([
    ['offline', 'no', /i-0001 has the status ConnectionLost in Systems Manager, which heard from it last at 2/],
    ['deaf', 'unknown', /i-0001 has the status Online in Systems Manager/],
  ] as const)('that is %s may come back: nothing is known of its jobs, and why', async (fate, arrived, message) => {
    befall(lab1, 'online')
    const job = aJob()
    const handle = await executor.submit(job)
    befall(lab1, fate)
    const [seen] = await executor.poll([handle])
    expect(seen).toMatchObject({ state: 'unknown', failure: { code: 'HostAway', retryable: true, source: 'ssh' } })
    expect(seen?.failure?.message).toMatch(message)
    expect(await executor.cancel([handle], force)).toMatchObject([{ outcome: 'failed' }])
    await expect(executor.find([soughtNow(job)])).rejects.toBeInstanceOf(BackendUnavailable)
    await expect(executor.submit(aJob())).rejects.toMatchObject({ arrived })
    befall(lab1, 'online')
    expect((await executor.poll([handle]))[0]?.state).toBe('running')
    await cancelAll(handle)
  })
})
