import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCgroupMounts } from '../../../lib/emulator/containment/cgroup-mounts.ts'
import { type Containment, containments } from '../../../lib/emulator/containment/containments.ts'
import { findLadder } from '../../../lib/emulator/containment/ladder.ts'
import { patienceMs } from '../../support/patience.ts'
import { aFolder, aLadder, aToken, someProcesses, withToken } from './held-jobs.ts'

/** Which rungs this machine has: the others' tests are skipped by name. */
const isThere = new Map<Containment, boolean>()
for (const containment of containments) {
  const ladder = await findLadder({ serverId: `test-${randomUUID()}`, allowed: [containment] })
  isThere.set(containment, ladder.best.containment === containment)
  await ladder.close()
}

const proofs: Readonly<Record<Containment, string>> = {
  cgroup: 'cgroup populated 0',
  freezer: 'freezer has no tasks',
  subreaper: 'ECHILD',
  namespace: 'the init of the PID namespace is gone',
  'best effort': 'best effort: quiet for 2 s',
}

/** Forks a thousand times a second, and every parent ends at once; for two minutes at most. */
const chain = (token: string) =>
  `exec perl -e '$SIG{TERM} = "IGNORE"; for (1 .. 120000) { my $p = fork; exit if $p; select undef, undef, undef, 0.001 }' ${token}`

/** Programs that a look over /proc can miss, and how many of their processes there are when they are at work. */
const runaways: Readonly<Record<string, { script: (token: string) => string; count: number }>> = {
  'deaf to TERM': { script: (t) => `trap "" TERM INT HUP; sleep ${t} & while :; do sleep ${t}; done`, count: 3 },
  'a daemon without environment, parents or session': {
    script: (t) =>
      `trap "" TERM; (setsid env -i sleep ${t} &) ; (setsid env -i sh -c "sleep ${t} & sleep ${t}" &) ; sleep ${t}`,
    count: 5,
  },
  'a chain that forks every millisecond': {
    script: (t) => `(setsid env -i sh -c '${chain(t).replaceAll("'", `'"'"'`)}' &) ; sleep ${t}`,
    count: 2,
  },
  stopped: {
    script: (t) => `sleep ${t} & kill -STOP $! ; sleep ${t} & kill -STOP $$ ; while :; do sleep ${t}; done`,
    count: 3,
  },
  'without its shell': {
    script: (t) => `(setsid env -i sleep ${t} &) ; sleep ${t} & kill -9 $PPID; sleep ${t}`,
    count: 0,
  },
}

describe.each(containments)('%s', (containment) => {
  const maybe = test.skipIf(!isThere.get(containment))
  const names = Object.keys(runaways).filter((name) => {
    // What has lost everything before it is seen is what the last rung cannot find.
    if (containment === 'best effort') return !/daemon|chain|shell/.test(name)
    // In a namespace of its own a job cannot name its shell.
    return containment !== 'namespace' || !/shell/.test(name)
  })

  maybe.each(names)('ends what is %s', async (name) => {
    const { script, count } = runaways[name] as (typeof runaways)[string]
    const token = aToken()
    const jobs = someProcesses(await aLadder(containment), aFolder())
    const jobId = jobs.start(script(token))
    await expect.poll(() => withToken(token).length, { timeout: patienceMs }).toBeGreaterThanOrEqual(count)
    jobs.stop([jobId])
    const { quiet } = await jobs.endOf(jobId)
    expect(withToken(token)).toEqual([])
    expect(quiet).toEqual({ containment, what: proofs[containment] })
  })

  maybe('sends TERM to the main process first, and waits for it', async () => {
    const token = aToken()
    const directory = aFolder()
    const jobs = someProcesses(await aLadder(containment), directory, 60)
    const jobId = jobs.start(`trap 'echo bye; exit 3' TERM; sleep ${token} & echo ready; while :; do wait; done`)
    const log = () =>
      existsSync(join(directory, 'logs', jobId)) ? readFileSync(join(directory, 'logs', jobId), 'utf8') : ''
    await expect.poll(log, { timeout: patienceMs }).toBe('ready\n')
    jobs.stop([jobId])
    expect(await jobs.endOf(jobId)).toMatchObject({ exitCode: 3, quiet: { containment } })
    expect(log()).toBe('ready\nbye\n')
    expect(withToken(token)).toEqual([])
  })

  maybe('takes what a job leaves with it when it ends by itself', async () => {
    const token = aToken()
    const jobs = someProcesses(await aLadder(containment), aFolder())
    const jobId = jobs.start(`(setsid sleep ${token} &) ; sleep ${token} & exit 5`)
    expect(await jobs.endOf(jobId)).toMatchObject({ exitCode: 5, quiet: { containment } })
    expect(withToken(token)).toEqual([])
  })

  maybe(
    'is found again by the next server, and ended by it, also where the job has deleted what told of it',
    async () => {
      const [token, other] = [aToken(), aToken()]
      const directory = aFolder()
      const ladder = await aLadder(containment)
      const first = someProcesses(ladder, directory)
      const jobIds = [
        first.start(`sleep ${token}; exit 4`),
        first.start(`trap "" TERM; while :; do sleep ${other}; done`),
      ]
      const [told = '', untold = ''] = jobIds
      const isUp = () => first.holds.size === 2 && [token, other].every((one) => withToken(`sleep\0${one}`).length > 0)
      await expect.poll(isUp, { timeout: patienceMs }).toBe(true)
      await first.close({ detachJobs: true })
      rmSync(join(directory, 'runs', untold))

      const second = someProcesses(ladder, directory)
      const hold = first.holds.get(untold)
      expect(hold?.containment).toBe(containment)
      expect(await second.adopt([{ jobId: told }, { jobId: untold, ...(hold && { hold }) }])).toEqual(new Set())
      second.stop(jobIds)
      for (const jobId of jobIds) expect((await second.endOf(jobId)).quiet).toBeDefined()
      expect([...withToken(token), ...withToken(other)]).toEqual([])
    },
  )
})

describe('a ladder', () => {
  test('takes the first rung that holds, of those that are allowed', async () => {
    const ladder = await findLadder({ serverId: `test-${randomUUID()}` })
    const usual = containments.filter((one) => one !== 'namespace')
    expect(ladder.best.containment).toBe(usual.find((one) => isThere.get(one)))
    await ladder.close()
    const last = await aLadder('best effort')
    expect(last.best.containment).toBe('best effort')
  })

  test.skipIf(!isThere.get('cgroup'))('chases what a job of root has moved out of its group, and says so', async () => {
    const token = aToken()
    const [mount = ''] = readCgroupMounts().v2
    const jobs = someProcesses(await aLadder('cgroup'), aFolder())
    const jobId = jobs.start(`echo $$ > ${mount}/cgroup.procs; exec sleep ${token}`)
    await expect.poll(() => withToken(`sleep\0${token}`).length, { timeout: patienceMs }).toBe(1)
    jobs.stop([jobId])
    const { quiet } = await jobs.endOf(jobId)
    expect(withToken(token)).toEqual([])
    expect(quiet?.containment).toMatch(/^(cgroup|best effort)$/)
  })

  test.skipIf(!isThere.get('subreaper'))(
    'chases what is left when a job has killed its keeper, and says so',
    async () => {
      const token = aToken()
      const jobs = someProcesses(await aLadder('subreaper'), aFolder())
      const keeper = `$(cut -d' ' -f4 /proc/$PPID/stat)`
      const jobId = jobs.start(`setsid sleep ${token} & sleep ${token} & kill -9 ${keeper}; sleep ${token}`)
      const { quiet } = await jobs.endOf(jobId)
      expect(withToken(token)).toEqual([])
      expect(quiet?.containment).toBe('best effort')
    },
  )

  test('reads mounts as /proc writes them', () => {
    const mounts = [
      'cgroup /sys/fs/cgroup/freezer cgroup rw,nosuid,freezer 0 0',
      'cgroup2 /a\\040b/unified cgroup2 rw 0 0',
      'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0',
    ]
    expect(readCgroupMounts(mounts.join('\n'))).toEqual({ v2: ['/a b/unified'], freezer: ['/sys/fs/cgroup/freezer'] })
  })
})
