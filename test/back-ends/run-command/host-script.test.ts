import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  cancelScript,
  findScript,
  type HostCommand,
  type HostJob,
  type HostReport,
  launchScript,
  type ProcessIdentity,
  parseCancel,
  parseIdentity,
  parsePoll,
  pollScript,
} from '../../../lib/back-ends/run-command/host-script.ts'
import { InvalidInput } from '../../../lib/domain/errors.ts'
import { readBootId, readProcess, signalProcess } from '../../../lib/emulator/processes/process-tree.ts'
import { createScratchHost, eventually, isRunning } from '../../support/scratch-host.ts'

const host = createScratchHost()

afterAll(async () => {
  expect(await host.dispose(), 'processes left on the host').toBe(0)
})

const aName = () => `quench-${randomUUID()}-1-1`
const folderOf = (name: string, entry = '') => join(host.directory, 'jobs', name, entry)
const nobody = (name: string): HostJob => ({ name, pid: 0, startTime: 0, bootId: readBootId() })

async function launch(command: string, overrides: Partial<HostCommand> = {}): Promise<HostJob> {
  const name = overrides.name ?? aName()
  const { stdout } = await host.run(launchScript({ name, command, environment: {}, ...overrides }))
  return { name, ...(parseIdentity(stdout) as ProcessIdentity) }
}
async function poll(...jobs: readonly HostJob[]): Promise<readonly HostReport[]> {
  return parsePoll((await host.run(pollScript(jobs))).stdout, Date.now())
}
async function cancel(mode: 'graceful' | 'force', ...jobs: readonly HostJob[]) {
  return parseCancel((await host.run(cancelScript(jobs, mode))).stdout)
}
const stateOf = async (job: HostJob) => (await poll(job))[0]?.state
const reach = (job: HostJob, state: HostReport['state']) => eventually(async () => (await stateOf(job)) === state)
const output = (job: HostJob, entry = 'stdout') => readFileSync(folderOf(job.name, entry), 'utf8')
const marked = (job: HostJob) => `touch ${folderOf(job.name, 'marked')}`

describe('a launched job', () => {
  test.for([
    ['true', 0],
    ['exit 3', 3],
    ['no-such-command-anywhere', 127],
    ['-n true', 127],
    ['kill -KILL $$', 137],
  ] as const)('tells how it ended: %s is %i', async ([command, exitCode]) => {
    const job = await launch(command)
    await reach(job, 'ended')
    const [report] = await poll(job)
    expect(report?.exitCode).toBe(exitCode)
    expect(report?.endedAt).toBeGreaterThanOrEqual(report?.startedAt ?? Number.POSITIVE_INFINITY)
    expect(await poll(job)).toMatchObject([{ state: 'ended', exitCode }])
  })

  test('sees its variables, its folder and nothing of ours', async () => {
    const value = `it's {{ssm:secret}} $(id)\n\`id\` "${'ü'.repeat(10)}`
    const command = `printf '%s|%s|%s|%s' "$VALUE" "$UID" "$QUENCH_JOB" "$PWD"; printf '{{%s}}' "\${QUENCH_KEEPER-unset}" >&2`
    const job = await launch(command, { environment: { VALUE: value, UID: '7', QUENCH_JOB: 'forged' }, cwd: '/usr' })
    await reach(job, 'ended')
    expect(output(job)).toBe(`${value}|7|${job.name}|/usr`)
    expect(output(job, 'stderr')).toBe('{{unset}}')
  })

  test.for([-900, 900])('is as old as it is where the clock of its host is %i s off, or jumps', async (offSeconds) => {
    const bin = join(host.directory, `clock${offSeconds}`)
    mkdirSync(bin)
    writeFileSync(join(bin, 'date'), `#!/bin/sh\necho $(($(/bin/date +%s) + ${offSeconds}))\n`, { mode: 0o755 })
    const wrong = (script: string) => host.run(`PATH=${bin}:$PATH\nexport PATH\n${script}`)
    const name = aName()
    const began = Date.now()
    const { stdout } = await wrong(
      launchScript({ name, command: 'exec sleep 300', environment: {}, timeoutSeconds: 600 }),
    )
    const job = { name, ...(parseIdentity(stdout) as ProcessIdentity) }
    // The second look is by the right clock: it has jumped.
    for (const look of [wrong, host.run]) {
      const [report] = parsePoll((await look(pollScript([job]))).stdout, Date.now())
      expect(report?.state).toBe('running')
      // A second for each of the two that the host rounds.
      expect(report?.startedAt).toBeGreaterThanOrEqual(began - 2_000)
      expect(report?.startedAt).toBeLessThanOrEqual(Date.now())
    }
    await cancel('force', job)
    await reach(job, 'cancelled')
    const [end] = await poll(job)
    expect(end?.endedAt).toBeGreaterThanOrEqual(began - 2_000)
    expect(end?.endedAt).toBeLessThanOrEqual(Date.now())
  })

  test('says nothing of the age of a job of another boot', async () => {
    const job = await launch('true')
    await reach(job, 'ended')
    const [pid, start, , time] = readFileSync(folderOf(job.name, 'identity'), 'utf8').trim().split(' ')
    writeFileSync(folderOf(job.name, 'identity'), `${pid} ${start} 00000000-0000-0000-0000-000000000000 ${time}\n`)
    expect(await poll(job)).toEqual([{ state: 'ended', exitCode: 0 }])
  })

  test('runs in the home folder, or in a folder below it', async () => {
    mkdirSync(join(host.directory, '-n'))
    const [one, other] = [await launch('pwd'), await launch('pwd', { cwd: '-n' })]
    await Promise.all([reach(one, 'ended'), reach(other, 'ended')])
    expect([output(one), output(other)]).toEqual([`${host.directory}\n`, `${host.directory}/-n\n`])
  })

  test('whose folder is not there fails with 126', async () => {
    const job = await launch('true', { cwd: '/no/such/folder' })
    await reach(job, 'ended')
    expect((await poll(job))[0]?.exitCode).toBe(126)
  })

  test('takes what it left behind with it', async () => {
    const before = host.countLive()
    const job = await launch("(trap '' TERM HUP; setsid sleep 300 & sleep 300 & ) ; exit 4")
    await reach(job, 'ended')
    expect((await poll(job))[0]?.exitCode).toBe(4)
    await eventually(() => host.countLive() <= before)
  })

  test('is stopped when its time is over, and says so', async () => {
    const job = await launch('sleep 300 & sleep 300', { timeoutSeconds: 2 })
    await reach(job, 'timedout')
    const [report] = await poll(job)
    expect((report?.endedAt ?? 0) - (report?.startedAt ?? 0)).toBeGreaterThanOrEqual(1000)
    expect(await cancel('force', job)).toEqual(['ended'])
    expect(await stateOf(job)).toBe('timedout')
  })

  test('keeps its runner through a TERM', async () => {
    const go = join(host.directory, 'go-on')
    const job = await launch(`until [ -e ${go} ]; do sleep 0.05; done; exit 5`)
    expect(signalProcess({ pid: job.pid, startTicks: job.startTime }, 'SIGTERM')).toBe(true)
    writeFileSync(go, '')
    await reach(job, 'ended')
    expect((await poll(job))[0]?.exitCode).toBe(5)
  })
})

describe('a launch', () => {
  test('under a name that is taken adopts the job, also after its end', async () => {
    const name = aName()
    const command = 'echo ran >>ran; sleep 0.3'
    const first = await launch(command, { name, cwd: host.directory })
    expect(await launch('echo other', { name })).toEqual(first)
    await reach(first, 'ended')
    expect(await launch(command, { name })).toEqual(first)
    expect(parseIdentity((await host.run(findScript(name))).stdout)).toEqual({ ...first, name: undefined })
    expect(readFileSync(join(host.directory, 'ran'), 'utf8')).toBe('ran\n')
  })

  test('at the same time as others starts one job', async () => {
    const name = aName()
    const jobs = await Promise.all([1, 2, 3, 4, 5].map(() => launch('echo ran', { name })))
    expect(new Set(jobs.map(({ pid }) => pid)).size).toBe(1)
    await reach(jobs[0] as HostJob, 'ended')
    expect(output(jobs[0] as HostJob)).toBe('ran\n')
  })

  test('heals one that died before it started anything', async () => {
    const name = aName()
    mkdirSync(folderOf(name), { recursive: true })
    expect(await stateOf(nobody(name))).toBe('queued')
    await reach(await launch('true', { name }), 'ended')
  })

  test('after a kill starts nothing', async () => {
    const name = aName()
    expect(await cancel('graceful', nobody(name))).toEqual(['accepted'])
    const job = await launch(`touch ${folderOf(name, 'marked')}`, { name })
    expect(job.pid).toBe(0)
    const [report] = await poll(job)
    expect(report).toMatchObject({ state: 'cancelled' })
    expect(report?.startedAt).toBeUndefined()
    expect(existsSync(folderOf(name, 'marked'))).toBe(false)
  })

  test('refuses names that are no names', () => {
    expect(() => launchScript({ name: '../x', command: 'true', environment: {} })).toThrow(InvalidInput)
    expect(() => launchScript({ name: 'x', command: 'true', environment: { 'A=$(id);B': '' } })).toThrow(InvalidInput)
  })

  test('holds nothing that Systems Manager would replace', () => {
    const command = { name: 'x', command: '{{ssm:a}}', cwd: '{{{{', environment: { A: '{{ssm:b}}' } }
    expect(launchScript(command) + pollScript([]) + cancelScript([], 'force')).not.toContain('{{')
  })
})

describe('a kill', () => {
  /** Forks, ignores TERM, and starts a daemon in a session of its own and a child without environment. */
  const stubborn = `trap '' TERM
    (setsid sh -c 'trap "" TERM; while :; do sleep 0.2; done' &)
    env -i /bin/sh -c 'while :; do sleep 0.2; done' &
    while :; do sleep 0.1; done`

  test('by force leaves nothing of a job that forks, ignores TERM and starts daemons', async () => {
    const before = host.countLive()
    const job = await launch(stubborn)
    await eventually(() => host.countLive() > before + 4)
    expect(await cancel('graceful', job)).toEqual(['accepted'])
    expect(await stateOf(job)).toBe('running')
    expect(await cancel('force', job)).toEqual(['accepted'])
    expect(await stateOf(job)).toBe('cancelled')
    expect(host.countLive()).toBe(before)
    expect(await cancel('force', job)).toEqual(['ended'])
    const [report] = await poll(job)
    expect(await poll(job)).toMatchObject([{ state: report?.state }])
  })

  test('with grace reaches every process, and lets them finish', async () => {
    const [ready, go] = [join(host.directory, 'ready'), join(host.directory, 'go')]
    const leave = `until [ -e ${go} ]; do sleep 0.05; done; echo "bye $0" >>bye; exit 0`
    const farewell = `trap '${leave}' TERM; touch ${ready}; while :; do sleep 0.05; done`
    const job = await launch(`cd "$FOLDER"; setsid sh -c '${farewell.replaceAll("'", `'\\''`)}' daemon & sleep 300`, {
      environment: { FOLDER: host.directory },
    })
    await eventually(() => existsSync(ready))
    await cancel('graceful', job)
    expect(await stateOf(job)).toBe('running')
    writeFileSync(go, '')
    await reach(job, 'cancelled')
    expect(readFileSync(join(host.directory, 'bye'), 'utf8')).toBe('bye daemon\n')
  })

  test('of a job that is just being launched stops it, whoever is first', async () => {
    for (const mode of ['graceful', 'force', 'graceful', 'force'] as const) {
      const name = aName()
      await Promise.all([launch('sleep 300', { name }), cancel(mode, nobody(name))])
      await reach(nobody(name), 'cancelled')
    }
  })

  test('that comes late does not change a natural end', async () => {
    const job = await launch('exit 3')
    await reach(job, 'ended')
    const reports = await poll(job)
    expect(await cancel('graceful', job)).toEqual(['ended'])
    expect(await cancel('force', job)).toEqual(['ended'])
    expect(await poll(job)).toMatchObject(reports.map(({ state, exitCode }) => ({ state, exitCode })))
  })

  test('of one job spares those with a longer name', async () => {
    const name = aName()
    const [one, ten] = [await launch('sleep 300', { name }), await launch('sleep 300', { name: `${name}0` })]
    expect(await cancel('force', one)).toEqual(['accepted'])
    expect((await poll(one, ten)).map(({ state }) => state)).toEqual(['cancelled', 'running'])
    await cancel('force', ten)
    await reach(ten, 'cancelled')
  })

  test.for([
    ['another start time', (real: ProcessIdentity) => ({ ...real, startTime: real.startTime - 1 })],
    ['another boot', (real: ProcessIdentity) => ({ ...real, bootId: randomUUID() })],
  ] as const)('does not touch a recycled pid: %s', async ([, fake]) => {
    const bystander = host.bystander()
    const live = readProcess(bystander.pid ?? 0)
    const identity = fake({ pid: live?.pid ?? 0, startTime: live?.startTicks ?? 0, bootId: readBootId() })
    const job = await launch(stubborn)
    const line = `${identity.pid} ${identity.startTime} ${identity.bootId} 1\n`
    writeFileSync(folderOf(job.name, 'identity'), line)
    for (const mode of ['graceful', 'force'] as const) await cancel(mode, { ...identity, name: job.name }, job)
    await reach({ ...identity, name: job.name }, 'cancelled')
    expect(isRunning(bystander)).toBe(true)
  })

  test('does not trust a handle that names another process than the record', async () => {
    const bystander = host.bystander()
    const live = readProcess(bystander.pid ?? 0)
    const job = await launch('sleep 300')
    const forged = { ...job, pid: live?.pid ?? 0, startTime: live?.startTicks ?? 0 }
    await cancel('force', forged)
    await reach(forged, 'cancelled')
    expect(isRunning(bystander)).toBe(true)
  })

  test('is not misled by what others write into their environment', async () => {
    const job = await launch('sleep 300')
    const mark = `QUENCH_JOB=${job.name}`
    const bystanders = [
      host.bystander(),
      host.bystander({ TEXT: `\n${mark}\n`, [`X${mark.split('=')[0]}`]: job.name }),
      host.bystander({ QUENCH_JOB: `${job.name}0` }),
      host.bystander({ QUENCH_JOB: '', QUENCH_KEEPER: '' }),
    ]
    await cancel('graceful', job)
    await cancel('force', job)
    await reach(job, 'cancelled')
    expect(bystanders.map(isRunning)).toEqual([true, true, true, true])
  })
})

describe('a poll', () => {
  test('of jobs the host has never heard of says lost', async () => {
    expect((await poll(nobody(aName()), nobody(aName()))).map(({ state }) => state)).toEqual(['lost', 'lost'])
  })

  test('of a job whose runner was killed kills the rest before it says lost', async () => {
    const before = host.countLive()
    const job = await launch('sleep 300 & sleep 300')
    await eventually(() => host.countLive() >= before + 4)
    signalProcess({ pid: job.pid, startTicks: job.startTime }, 'SIGKILL')
    expect(await stateOf(job)).toBe('running')
    await reach(job, 'lost')
    expect(host.countLive()).toBe(before)
  })

  test('gives up a job that was never started, and closes it', async () => {
    const name = aName()
    mkdirSync(folderOf(name, 'run'), { recursive: true })
    expect(await stateOf(nobody(name))).toBe('queued')
    writeFileSync(folderOf(name, 'seen'), `${Math.floor(uptime()) - 60}\n`)
    expect(await stateOf(nobody(name))).toBe('lost')
    expect((await launch(marked(nobody(name)), { name })).pid).toBe(0)
    expect(await stateOf(nobody(name))).toBe('lost')
  })

  test('of a job from before a restart of the host says lost', async () => {
    const name = aName()
    mkdirSync(folderOf(name, 'run'), { recursive: true })
    // The pid is alive again, as somebody else's.
    const identity = { pid: process.pid, startTime: 1, bootId: randomUUID() }
    writeFileSync(folderOf(name, 'identity'), `${identity.pid} ${identity.startTime} ${identity.bootId} 1\n`)
    expect(await stateOf({ name, ...identity })).toBe('lost')
  })

  test('that could not look at all processes tells nothing, and so does a kill', async () => {
    const job = await launch('sleep 300')
    for (const blind of ['xargs() { false; }', 'awk() { false; }', 'tr() { head -c 2000; }']) {
      expect(parsePoll((await host.run(`${blind}\n${pollScript([job])}`)).stdout, Date.now())).toEqual([])
      expect(parseCancel((await host.run(`${blind}\n${cancelScript([job], 'graceful')}`)).stdout)).toEqual([])
    }
    await cancel('force', job)
    await reach(job, 'cancelled')
  })

  test('whose output was cut anywhere tells a part, and never something else', async () => {
    const jobs = [await launch('exit 3'), nobody(aName()), await launch('true')]
    await Promise.all([reach(jobs[0] as HostJob, 'ended'), reach(jobs[2] as HostJob, 'ended')])
    const { stdout } = await host.run(pollScript(jobs))
    const at = Date.now()
    const all = parsePoll(stdout, at)
    expect(all).toHaveLength(3)
    for (let length = 0; length < stdout.length; length++) {
      const part = parsePoll(`${stdout.slice(0, length)}--output truncated--`, at)
      expect(part).toEqual(all.slice(0, part.length))
    }
  })
})
