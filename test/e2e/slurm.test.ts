import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Handle, JobSpec, Observation, Packing } from '../../lib/back-ends/executor.ts'
import type { JsonObject } from '../../lib/domain/json.ts'
import { aJobSpec, aPack } from '../contracts/executor-contract.ts'
import { findJob } from '../support/find-job.ts'
import { eventually } from '../support/scratch-host.ts'
import { aHandle, startClusters, whyNoSlurm } from '../support/slurm-cluster.ts'

const reason = whyNoSlurm()
const force = { mode: 'force', reason: '' } as const
const graceful = { mode: 'graceful', reason: '' } as const

describe.skipIf(reason)(`a Slurm cluster${reason === undefined ? '' : `: ${reason}`}`, () => {
  describe('jobs on a cluster', () => {
    let cluster: Awaited<ReturnType<typeof startClusters>>
    beforeAll(async () => {
      cluster = await startClusters()
    })
    afterAll(() => cluster.stop())

    const submit = (options: Record<string, unknown> = {}, overrides: Partial<JobSpec> = {}) =>
      cluster.executor.submit(aJob(options, overrides))
    const aJob = (options: Record<string, unknown> = {}, overrides: Partial<JobSpec> = {}) =>
      aJobSpec({ options: { cluster: 'main', command: 'true', ...options } as JobSpec['options'], ...overrides })
    const observe = async (handle: Handle) => (await cluster.executor.poll([handle]))[0] as Observation
    const reach = async (handle: Handle, state: Observation['state']) => {
      await eventually(async () => (await observe(handle)).state === state)
      return observe(handle)
    }
    const sent = () => cluster.faults.calls.get('SendCommand') ?? 0
    const read = (handle: Handle, name: string) => readFile(join(cluster.folder, String(handle.name), name), 'utf8')

    test('run in their folder, with their variables and their options', async () => {
      const environment = { GREETING: `it's "$(hello)"\n--{{x}}`, EMPTY: '' }
      const command = 'printf "%s|" "$GREETING" "$EMPTY" "$QUENCH_JOB" "$SLURM_CPUS_ON_NODE" "$(pwd)"; echo oops >&2'
      const job = aJob({ command, environment, cwd: '/tmp', cpusPerTask: 2, extra: ['--comment=a b'] })
      const handle = await cluster.executor.submit(job)
      await reach(handle, 'succeeded')
      expect(await read(handle, 'stdout')).toBe(`${environment.GREETING}||${job.name}|2|/tmp|`)
      expect(await read(handle, 'stderr')).toBe('oops\n')
    })

    test('that Slurm refuses are rejected, and can be found to be nothing', async () => {
      const job = aJob({ partition: 'no-such-partition' })
      await expect(cluster.executor.submit(job)).rejects.toMatchObject({ code: 'BackendRejected' })
      expect(await findJob(cluster.executor, job)).toBeUndefined()
    })

    test('that Slurm has forgotten keep their ends, or are lost where they left none', async () => {
      const [good, bad, unseen, silent] = await Promise.all([
        submit({ command: 'exit 0' }),
        submit({ command: 'exit 4' }),
        submit({ command: 'exit 5' }),
        submit({ command: 'kill -KILL $PPID; sleep 300' }),
      ])
      const before = [await reach(good, 'succeeded'), await reach(bad, 'failed')]
      await eventually(async () => (await cluster.onLogin('squeue --noheader')).stdout === '')
      await cluster.slurm.forget()
      expect((await cluster.onLogin('squeue --noheader --states=all | wc -l')).stdout.trim()).toBe('0')
      const told = ({ state, exitCode, failure, evidence }: Observation) => [state, exitCode, failure, evidence?.what]
      expect((await cluster.executor.poll([good, bad])).map(told)).toEqual(before.map(told))
      expect(await observe(unseen)).toMatchObject({ state: 'failed', exitCode: 5 })
      expect(await observe(silent)).toMatchObject({ state: 'lost' })
    })

    test('whose id was never stored are found by their name', async () => {
      const job = aJob({ command: 'sleep 300', extra: ['--begin=now+1hour'] })
      const handle = await cluster.executor.submit(job)
      await rm(join(cluster.folder, job.name, 'job'))
      expect(await findJob(cluster.executor, job)).toEqual(handle)
      await rm(join(cluster.folder, job.name, 'job'))
      expect(await cluster.executor.submit(job)).toEqual(handle)
      await rm(join(cluster.folder, job.name, 'job'))
      const nameless = { ...handle, jobId: 0 }
      expect(await observe(nameless)).toMatchObject({ state: 'queued' })
      expect(await cluster.executor.cancel([nameless], graceful)).toEqual([{ outcome: 'accepted' }])
      await reach(nameless, 'cancelled')
    })

    test('are not taken for others that have their id', async () => {
      const handle = await submit({ command: 'sleep 300' })
      const impostor = aHandle('main')
      expect(await observe({ ...impostor, jobId: handle.jobId as number })).toMatchObject({ state: 'lost' })
      await cluster.executor.cancel([{ ...impostor, jobId: handle.jobId as number }], force)
      await reach(handle, 'running')
      await cluster.executor.cancel([handle], force)
    })

    test('that a cancel meets as they start have not succeeded', async () => {
      const handles = await Promise.all(Array.from({ length: 4 }, () => submit()))
      await eventually(async () => (await observe(handles[0] as Handle)).state !== 'queued')
      const outcomes = await cluster.executor.cancel(handles, graceful)
      await eventually(async () =>
        (await cluster.executor.poll(handles)).every(({ state }) => state !== 'queued' && state !== 'running'),
      )
      const ends = await cluster.executor.poll(handles)
      for (const [at, { outcome }] of outcomes.entries()) {
        const hasRun = await read(handles[at] as Handle, 'fate').then((fate) => fate.startsWith('ended'))
        expect([outcome, ends[at]?.state]).toEqual(hasRun ? ['ended', 'succeeded'] : ['accepted', 'cancelled'])
      }
    })

    test('get TERM on a graceful cancel, children included, and time to tidy up', async () => {
      const command = `trap 'echo parent' TERM; sh -c 'trap "echo child; exit" TERM; echo ready; while :; do sleep 0.1; done' & wait; wait; sleep 0.5; echo tidy`
      const handle = await submit({ command })
      await eventually(async () => (await read(handle, 'stdout').catch(() => '')) === 'ready\n')
      await cluster.executor.cancel([handle], graceful)
      await reach(handle, 'cancelled')
      const lines = (await read(handle, 'stdout')).trim().split('\n').sort()
      expect(lines).toEqual(['child', 'parent', 'ready', 'tidy'])
    })

    test('that ignore TERM, and left their session and their parents, are gone after a forced one', async () => {
      const killWaitMs = 60_000
      const before = cluster.scratch.countLive()
      const stubborn = `trap '' TERM; setsid sleep 300 & (setsid sleep 300 &) ; echo ready; while :; do sleep 1; done`
      const handle = await submit({ command: stubborn })
      await eventually(async () => (await read(handle, 'stdout').catch(() => '')) === 'ready\n')
      expect(await cluster.executor.cancel([handle], graceful)).toEqual([{ outcome: 'accepted' }])
      expect(await observe(handle)).toMatchObject({ state: 'running' })
      const forcedAt = Date.now()
      expect(await cluster.executor.cancel([handle], force)).toEqual([{ outcome: 'accepted' }])
      await reach(handle, 'cancelled')
      await eventually(() => cluster.scratch.countLive() <= before)
      expect(Date.now() - forcedAt).toBeLessThan(killWaitMs)
    })

    test('leave no daemon behind when they end by themselves', async () => {
      const before = cluster.scratch.countLive()
      await reach(await submit({ command: '(setsid sleep 300 &) ; true' }), 'succeeded')
      await eventually(() => cluster.scratch.countLive() <= before)
    })

    test('that somebody else cancelled are cancelled', async () => {
      const handle = await submit({ command: 'sleep 300' })
      await reach(handle, 'running')
      await cluster.onLogin(`scancel ${handle.jobId}`)
      const message = 'cancelled on the cluster, not by Quench'
      expect(await reach(handle, 'cancelled')).toMatchObject({ failure: { code: 'CancelledOutside', message } })
      expect(await cluster.executor.cancel([handle], force)).toEqual([{ outcome: 'ended' }])
      expect(await observe(handle)).toMatchObject({ state: 'cancelled', failure: { message } })
    })

    test('that wait say why, and those that Quench cancels need no reason', async () => {
      const held = await submit({ extra: ['--hold'] })
      await eventually(async () => (await observe(held)).reason === 'JobHeldUser')
      const later = await submit({ extra: ['--begin=now+1hour'] })
      await eventually(async () => (await observe(later)).reason === 'BeginTime')
      await cluster.executor.cancel([held, later], force)
      await reach(held, 'cancelled')
      expect(await reach(later, 'cancelled')).toEqual(expect.not.objectContaining({ failure: expect.anything() }))
    })

    test('by the thousand are polled with one command, and stopped with one command and two scancels', async () => {
      const prefix = `quench-${randomUUID()}-`
      const script = `cd '${cluster.folder}'
seq 100 119 | xargs -P 2 -n 10 sh -c 'for n; do
  mkdir ${prefix}$n-1; echo cgroup >${prefix}$n-1/swept
  echo "$n $(sbatch --parsable --job-name=${prefix}$n-1 --output=/dev/null $([ $n -lt 104 ] || echo --begin=now+1hour) --wrap "exec sleep 300")"
done' - | sort | cut -d' ' -f2`
      const ids = (await cluster.onLogin(script)).stdout.trim().split('\n')
      const handles = ids.map((id, n) => ({ ...aHandle('main', `${prefix}${n + 100}-1`), jobId: Number(id) }))
      await eventually(
        async () => (await cluster.executor.poll(handles)).filter(({ state }) => state === 'running').length === 4,
      )
      const many = [...handles, ...Array.from({ length: 980 }, (_, n) => aHandle('main', `${prefix}${n + 1000}-1`))]
      const [sentBefore, cancelsBefore] = [sent(), cluster.countCancels()]
      await cluster.executor.poll(many)
      expect(sent() - sentBefore).toBe(1)
      const outcomes = await cluster.executor.cancel(many, graceful)
      expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']))
      expect(sent() - sentBefore).toBe(2)
      expect(cluster.countCancels() - cancelsBefore).toBe(2)
      await eventually(async () => {
        return (await cluster.executor.poll(handles)).every(({ state }) => state === 'cancelled')
      })
    })

    const submitPack = async (members: readonly Record<string, unknown>[], extra: readonly string[] = []) => {
      const shared = { cluster: 'main', extra: [...extra] }
      const jobs = aPack([4, 5, 9], {}).map((job, n) => ({
        ...job,
        options: { ...shared, ...members[n] } as JsonObject,
      }))
      const name = jobs[0]?.name ?? ''
      return { jobs, name, handles: (await packing().submit(jobs, name)) as [Handle, Handle, Handle] }
    }
    const packing = () => cluster.executor.packing as Packing
    const log = (name: string, index: number) =>
      readFile(join(cluster.folder, name, String(index), 'stdout'), 'utf8').catch(() => '')
    const statesOf = async (handles: readonly Handle[]) =>
      (await cluster.executor.poll(handles)).map(({ state }) => state).join()

    test('in an array have commands, folders, variables and logs of their own', async () => {
      const { jobs, handles } = await submitPack([
        { command: 'echo "$QUENCH_JOB $A in $(pwd)"', cwd: '/tmp', environment: { A: 'a' } },
        { command: 'printf "it\'s "; echo "$QUENCH_TASK_INDEX $A" >&2; exit 3', environment: { A: "'b'" } },
        { command: 'printf "%s" "${A-none}"' },
      ])
      await eventually(async () => (await statesOf(handles)) === 'succeeded,failed,succeeded')
      const part = async (handle: Handle, stream: 'stdout' | 'stderr', offset = 0) =>
        cluster.executor.readLog?.(handle, { stream, offset })
      expect((await part(handles[0], 'stdout'))?.text).toBe(`${jobs[0]?.name} a in /tmp\n`)
      expect(await part(handles[1], 'stdout')).toEqual({ text: "it's ", nextOffset: 5 })
      expect(await part(handles[1], 'stdout', 3)).toEqual({ text: 's ', nextOffset: 5 })
      expect(await part(handles[1], 'stderr')).toEqual({ text: "1 'b'\n", nextOffset: 6 })
      expect((await part(handles[2], 'stdout'))?.text).toBe('none')
    })

    test('in an array leave no daemon behind, and those of the others alone', async () => {
      const before = cluster.scratch.countLive()
      const daemon = 'setsid sleep 300 & echo $!;'
      const commands = [{ command: `${daemon} true` }, { command: `${daemon} exec sleep 300` }, { command: 'true' }]
      const { name, handles } = await submitPack(commands)
      await eventually(async () => (await statesOf(handles)) === 'succeeded,running,succeeded')
      const isAlive = async (index: number) => {
        const pid = (await log(name, index)).trim()
        const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State: gone')
        return !/^State:\s+(Z|gone)/m.test(status)
      }
      await eventually(async () => !(await isAlive(0)))
      expect(await isAlive(1)).toBe(true)
      await cluster.executor.cancel(handles, force)
      await eventually(async () => (await statesOf(handles)) === 'succeeded,cancelled,succeeded')
      await eventually(() => cluster.scratch.countLive() <= before)
    })

    test('in an array are stopped one by one, or all by the id of the array', async () => {
      const command = 'echo ready; sleep 300'
      const { name, handles } = await submitPack([{ command }, { command }, { command }])
      const jobId = handles[0].jobId
      // One that has not begun by then finds its tombstone, and needs no scancel.
      for (const index of handles.keys()) await eventually(async () => (await log(name, index)) === 'ready\n')
      await cluster.executor.cancel(handles.slice(1, 2), graceful)
      await eventually(async () => (await statesOf(handles)) === 'running,cancelled,running')
      await cluster.executor.cancel(handles, force)
      await eventually(async () => (await statesOf(handles)) === 'cancelled,cancelled,cancelled')
      const calls = await readFile(join(cluster.scratch.directory, 'bin/calls'), 'utf8')
      expect(calls).toContain(` ${jobId}_1\n`)
      expect(calls).toMatch(new RegExp(` ${jobId}\\n`))
    })

    test('in an array whose id was never stored are found by its name, and stopped before they ran', async () => {
      const commands = [{ command: 'true' }, { command: 'true' }, { command: 'true' }]
      const { jobs, name, handles } = await submitPack(commands, ['--begin=now+1hour'])
      await rm(join(cluster.folder, name, 'job'))
      expect(await packing().find(jobs, name)).toEqual(handles)
      await rm(join(cluster.folder, name, 'job'))
      expect(await packing().submit(jobs, name)).toEqual(handles)
      expect(await statesOf(handles)).toBe('queued,queued,queued')
      await cluster.executor.cancel(handles.slice(0, 1), graceful)
      await eventually(async () => (await statesOf(handles)) === 'cancelled,queued,queued')
      await cluster.executor.cancel(handles, graceful)
      await eventually(async () => (await statesOf(handles)) === 'cancelled,cancelled,cancelled')
    })

    test('in an array that Slurm refuses are rejected, and can be found to be nothing', async () => {
      const jobs = aPack([4, 5], { cluster: 'main', command: 'true', partition: 'no-such-partition' })
      await expect(packing().submit(jobs, jobs[0]?.name ?? '')).rejects.toMatchObject({ code: 'BackendRejected' })
      expect(await packing().find(jobs, jobs[0]?.name ?? '')).toEqual([undefined, undefined])
    })

    test('of a cluster that is configured no more are unknown, and not lost', async () => {
      const gone = { ...aHandle('main'), cluster: 'gone' }
      const states = (await cluster.executor.poll([gone, aHandle('main')])).map(({ state }) => state)
      expect(states).toEqual(['unknown', 'lost'])
      await expect(cluster.executor.poll([gone])).rejects.toMatchObject({ code: 'BackendRejected' })
    })
  })
})
