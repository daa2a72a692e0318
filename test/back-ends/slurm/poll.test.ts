import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { cancelSlurmScript } from '../../../lib/back-ends/slurm/cancel-script.ts'
import { observeSlurm } from '../../../lib/back-ends/slurm/observe.ts'
import { parseSlurmPoll, pollSlurmScript } from '../../../lib/back-ends/slurm/poll-script.ts'
import { patienceMs } from '../../support/patience.ts'
import { controllerWithoutJobs, createFakeLogin } from './fake-login.ts'

const login = createFakeLogin()
afterAll(async () => {
  expect(await login.dispose()).toBe(0)
})

const now = 2_000_000_000_000

describe('a job that squeue does not show', () => {
  let index = 0
  const aRun = async (files: Record<string, string>) => {
    index += 1
    const name = `absent-${index}-1`
    mkdirSync(join(login.at('slurm'), name, 'run'), { recursive: true })
    for (const [file, text] of Object.entries({ job: '7\n', ...files }))
      writeFileSync(join(login.at('slurm'), name, file), text)
    const look = async () => {
      const [report = {}] = parseSlurmPoll((await login.run(pollSlurmScript([{ name, jobId: 7 }]))).stdout, now)
      return observeSlurm(report)
    }
    return { name, look }
  }
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const uptimeSeconds = () => Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]))
  const ago = (seconds: number) => `${boot} ${uptimeSeconds() - seconds}\n`
  const controller = (script = controllerWithoutJobs) => login.program('scontrol', script)
  const queue = (script = 'exit 0') => login.program('squeue', script)

  test('is lost when the controller has no such id, and closed with the second word', async () => {
    queue()
    controller()
    const { name, look } = await aRun({})
    expect(await look()).toEqual({ state: 'lost' })
    expect(() => login.read(`slurm/${name}/fate`)).toThrow('ENOENT')
    writeFileSync(login.at(`slurm/${name}/absent`), ago(20))
    expect(await look()).toMatchObject({ state: 'lost' })
    expect(login.read(`slurm/${name}/fate`)).toMatch(/^lost /)
  })

  test.for([
    ['squeue had something to say', 'echo "slurm_load_jobs error: Socket timed out" >&2', controllerWithoutJobs],
    ['the controller does not answer', 'exit 0', 'echo "Unable to contact slurm controller" >&2; exit 1'],
    ['the controller answers nothing else', 'exit 0', `${controllerWithoutJobs} | grep -v Proctrack`],
    ['scontrol says nothing', 'exit 0', 'exit 0'],
    [
      'the controller shows it',
      'exit 0',
      'echo "scontrol: show job 7"; echo "JobId=7 JobName=NAME"; echo "ProctrackType = x"',
    ],
    [
      'another complaint stands for the answer',
      'exit 0',
      'echo "scontrol: show job 7"; echo "ProctrackType = x"; echo "Access denied" >&2',
    ],
  ] as const)('is not lost where %s', async ([, squeue, scontrol]) => {
    const { name, look } = await aRun({ absent: ago(1000) })
    queue(squeue)
    controller(scontrol.replace('NAME', name))
    expect(await look()).toMatchObject({ state: 'unknown', failure: { code: 'NoAnswer' } })
    expect(() => login.read(`slurm/${name}/fate`)).toThrow('ENOENT')
  })

  test('is gone where its id is of a job with another name', async () => {
    queue()
    controller('echo "scontrol: show job 7"; echo "JobId=7 JobName=other"; echo "ProctrackType = x"')
    expect(await (await aRun({})).look()).toEqual({ state: 'lost' })
  })

  test('and has begun is lost only when nobody beside it has answered for 90 s', async () => {
    queue()
    controller()
    const { name, look } = await aRun({ began: '1000\n' })
    expect(await look()).toMatchObject({ state: 'unknown' })
    expect(login.read(`slurm/${name}/absent`)).toMatch(boot)
    for (const stamp of [ago(80), ago(-900), `${randomUUID()} 5\n`, '']) {
      writeFileSync(login.at(`slurm/${name}/absent`), stamp)
      expect(await look()).toMatchObject({ state: 'unknown' })
    }
    writeFileSync(login.at(`slurm/${name}/absent`), ago(90))
    expect(await look()).toMatchObject({ state: 'lost' })
    expect(login.read(`slurm/${name}/fate`)).toMatch(/^lost /)
  })

  test('and has begun is over at once when its sweeper has swept', async () => {
    queue()
    controller()
    expect(await (await aRun({ began: '1000\n', swept: 'cgroup populated 0\n' })).look()).toMatchObject({
      state: 'lost',
    })
  })

  test('is not cancelled by that, whoever asked for it', async () => {
    const fate = 'cancelled 2000\n'
    queue('echo error >&2')
    controller()
    const { name, look } = await aRun({ fate })
    expect(await look()).toMatchObject({ state: 'unknown' })
    const stopped = await login.run(cancelSlurmScript([{ name, jobId: 7 }], 'force'))
    expect(stopped.stdout).toBe('failed;\nend;\n')
    queue()
    expect(await look()).toMatchObject({ state: 'cancelled' })
    const begun = await aRun({ fate, began: '1000\n' })
    expect(await begun.look()).toMatchObject({ state: 'unknown' })
  })

  test('and whose id is unknown is waited for, but not while squeue complains', async () => {
    controller()
    queue('echo error >&2')
    const { name, look } = await aRun({ job: '0\n', seen: ago(1000) })
    rmSync(login.at(`slurm/${name}/job`))
    const lookNameless = async () =>
      parseSlurmPoll((await login.run(pollSlurmScript([{ name, jobId: 0 }]))).stdout, now).map(observeSlurm)
    expect(await lookNameless()).toMatchObject([{ state: 'unknown' }])
    queue()
    expect(await lookNameless()).toMatchObject([{ state: 'lost' }])
    expect(await look()).toMatchObject({ state: 'lost' })
  })

  test('under its id is found by its name', async () => {
    const { name, look } = await aRun({ job: '2027\n' })
    queue(`echo '*** News ***'; echo 'J|9|N/A|R|1000|N/A|${name}'; echo 'J|7|N/A|R|1000|N/A|other'`)
    expect(await look()).toMatchObject({ state: 'running' })
    await login.run(cancelSlurmScript([{ name, jobId: 7 }], 'force'))
    expect(login.read('scancels')).toMatch(/ 9\n$/)
  })
})

describe('an end that Slurm tells', () => {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const ago = (seconds: number) => {
    const uptimeSeconds = Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]))
    return `${boot} ${uptimeSeconds - seconds}\n`
  }
  let index = 0
  const look = async (files: Record<string, string>, node: string, proctrack = 'linuxproc') => {
    index += 1
    const name = `end-${index}-1`
    login.program('squeue', `echo 'J|7|N/A|CA|1000|2000|${name}|${node}|None'`)
    login.program('scontrol', `echo 'ProctrackType           = proctrack/${proctrack}'`)
    const folder = join(login.at('slurm'), name)
    mkdirSync(join(folder, 'run'), { recursive: true })
    for (const [file, text] of Object.entries({ job: '7\n', fate: 'cancelled 1500\n', ...files }))
      writeFileSync(join(folder, file), text)
    const observe = async () => {
      const { stdout } = await login.run(pollSlurmScript([{ name, jobId: 7 }]))
      const { state, containment, evidence } = observeSlurm(parseSlurmPoll(stdout, now)[0] ?? {})
      return { state, containment, what: evidence?.what }
    }
    return { folder, observe }
  }

  test('is none before the sweeper of the job says so, also where the job has taken away that it began', async () => {
    for (const files of [{ began: '1000\n' }, {}] as Record<string, string>[]) {
      const { folder, observe } = await look(files, 'node1')
      expect(await observe()).toMatchObject({ state: 'running' })
      writeFileSync(join(folder, 'swept'), 'cgroup populated 0\n')
      const end = { state: 'cancelled', containment: 'cgroup', what: 'cgroup populated 0' }
      expect(await observe()).toEqual(end)
      rmSync(join(folder, 'swept'))
      expect(await observe()).toEqual(end)
    }
  })

  test('is none where the whole folder is gone, and is asked for anew', async () => {
    const { folder, observe } = await look({}, 'node1')
    rmSync(folder, { recursive: true })
    expect(await observe()).toMatchObject({ state: 'running' })
    expect(readFileSync(join(folder, 'unswept'), 'utf8')).toMatch(boot)
  })

  test('counts as best effort when nobody takes the question away', async () => {
    const { folder, observe } = await look({ began: '1000\n' }, 'node1')
    writeFileSync(join(folder, 'unswept'), ago(80))
    expect(await observe()).toMatchObject({ state: 'running' })
    writeFileSync(join(folder, 'unswept'), ago(90))
    expect(await observe()).toMatchObject({
      state: 'cancelled',
      containment: 'best effort',
      what: expect.stringContaining('sweeper did not answer'),
    })
  })

  test('is one at once of a job that never had a node, and where Slurm keeps jobs in cgroups', async () => {
    expect(await (await look({}, '')).observe()).toMatchObject({
      state: 'cancelled',
      what: 'its state in Slurm: CANCELLED',
    })
    const kept = await (await look({ began: '1000\n' }, 'node1', 'cgroup')).observe()
    expect(kept).toMatchObject({
      state: 'cancelled',
      containment: 'cgroup',
      what: expect.stringContaining('proctrack/cgroup'),
    })
  })
})

describe('a poll', () => {
  beforeEach(() => {
    login.program('squeue', 'exit 0')
    login.program('scontrol', controllerWithoutJobs)
  })

  test('asks the accounts for what slurmctld has forgotten, and believes them about ends alone', async () => {
    const names = ['acct-1-1', 'acct-2-1', 'acct-3-1', 'acct-4-1']
    login.program(
      'sacct',
      `echo '11|CANCELLED by 1000|1000|2000|acct-1-1
12|RUNNING|1000|Unknown|acct-2-1
13|NODE_FAIL|1000|2000|acct-3-1
14|COMPLETED|1000|2000|somebody-else'`,
    )
    const jobs = names.map((name, n) => ({ name, jobId: 11 + n }))
    const states = parseSlurmPoll((await login.run(pollSlurmScript(jobs))).stdout, now).map((report) =>
      observeSlurm(report),
    )
    expect(states.map(({ state }) => state)).toEqual(['cancelled', 'lost', 'failed', 'lost'])
    expect(states[0]?.failure?.message).toBe('cancelled on the cluster by user 1000, not by Quench')
    const { startedAt = 0, endedAt = 0, failure } = states[2] ?? {}
    expect([endedAt - startedAt, failure?.code]).toEqual([1_000_000, 'NodeFail'])
  })

  test.for([-900, 0, 900])(
    'tells times by our clock, where that of the cluster is %d s ahead',
    async (aheadSeconds) => {
      login.program('date', `exec /bin/date -d '${aheadSeconds} seconds' "$@"`)
      const clock = Math.floor(Date.now() / 1000) + aheadSeconds
      const name = `clock-${aheadSeconds + 900}-1`
      mkdirSync(join(login.at('slurm'), name, 'run'), { recursive: true })
      writeFileSync(join(login.at('slurm'), name, 'began'), `${clock - 60}\n`)
      const look = async (state: string, start: number, end: number | string) => {
        login.program('squeue', `echo 'J|7|N/A|${state}|${start}|${end}|${name}|node1|None'`)
        const observedAt = Date.now()
        const { stdout } = await login.run(pollSlurmScript([{ name, jobId: 7 }]))
        const { startedAt = 0, endedAt } = parseSlurmPoll(stdout, observedAt)[0] ?? {}
        return { age: (observedAt - startedAt) / 1000, took: endedAt && (endedAt - startedAt) / 1000 }
      }
      const { age } = await look('R', clock - 61, 'N/A')
      expect(age).toBeGreaterThanOrEqual(59)
      expect(age).toBeLessThan(60 + patienceMs / 1000)
      writeFileSync(join(login.at('slurm'), name, 'swept'), 'cgroup populated 0\n')
      expect((await look('F', clock - 61, clock - 20)).took).toBe(40)
      rmSync(join(login.at('bin'), 'date'))
    },
  )

  test('takes a start that lies ahead for one of now', async () => {
    login.program('squeue', `echo 'J|7|N/A|R|${Math.floor(Date.now() / 1000) + 900}|N/A|clock-9-9|node1|None'`)
    const { stdout } = await login.run(pollSlurmScript([{ name: 'clock-9-9', jobId: 7 }]))
    expect(parseSlurmPoll(stdout, now)).toEqual([{ state: 'R', startedAt: now, seenAt: now }])
  })

  test('asks the same whatever variables the user has for the tools', async () => {
    login.program('squeue', `env | grep -e ^SQUEUE_ -e ^SLURM_ >'${login.at('variables')}'`)
    const variables = 'SQUEUE_FORMAT=%i SQUEUE_STATES=PD SQUEUE_ARRAY=1 SLURM_CLUSTERS=all SLURM_TIME_FORMAT=%d'
    await login.run(`export ${variables}\n${pollSlurmScript([{ name: 'job-1-1', jobId: 7 }])}`)
    expect(login.read('variables')).toBe('SLURM_TIME_FORMAT=%s\n')
  })

  test('says nothing where the controller says nothing', async () => {
    login.program('squeue', 'echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1')
    const { exitCode, stdout } = await login.run(pollSlurmScript([{ name: 'job-1-1', jobId: 7 }]))
    expect([exitCode, parseSlurmPoll(stdout, now)]).toEqual([74, []])
    login.program('squeue', 'exit 0')
  })
})
