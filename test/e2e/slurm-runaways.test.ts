import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { CancelMode, Handle, JobSpec, Observation } from '../../lib/back-ends/executor.ts'
import { aJobSpec } from '../contracts/executor-contract.ts'
import { eventually } from '../support/scratch-host.ts'
import { startClusters, whyNoSlurm } from '../support/slurm-cluster.ts'

const reason = whyNoSlurm()

/** Something that no other command line of this machine holds, and that `sleep` takes for a time. */
const aToken = () => `${randomInt(1e5, 1e6)}.${randomInt(1e8, 1e9)}`

/** Live processes whose command line holds a text: a look that shares nothing with ours. */
const withToken = (token: string) =>
  readdirSync('/proc').flatMap((name) => {
    try {
      if (!/^\d+$/.test(name) || !readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(token)) return []
      return /\) [ZX] /.test(readFileSync(`/proc/${name}/stat`, 'latin1')) ? [] : [Number(name)]
    } catch {
      return []
    }
  })

/** Bounded in time and count, in case that nothing ends them. */
const chain = (token: string) =>
  `perl -e '$SIG{TERM} = "IGNORE"; for (1 .. 60000) { my $p = fork; exit if $p; select undef, undef, undef, 0.001 }' ${token}`
const respawn = (token: string) =>
  `perl -e '$SIG{TERM} = $SIG{CHLD} = "IGNORE"; for (1 .. 20) { fork or last } for (1 .. 3000) { my $p = fork // next; if (!$p) { select undef, undef, undef, 0.2; exit } select undef, undef, undef, 0.05 }' ${token}`

interface Runaway {
  readonly script: (token: string) => string
  /** How many of its processes there are at least when it is at work. */
  readonly count: number
  /** Only the kernel can tell that it lives. */
  readonly isHidden?: boolean
}

const runaways: Readonly<Record<string, Runaway>> = {
  'a plain one': { script: (t) => `exec sleep ${t}`, count: 1 },
  'deaf to signals': { script: (t) => `trap "" TERM INT HUP; sleep ${t} & while :; do sleep ${t}; done`, count: 2 },
  'a double fork': { script: (t) => `( ( sleep ${t} & ) & ) ; sleep ${t}`, count: 2 },
  'its own session': { script: (t) => `setsid sleep ${t} & sleep ${t}`, count: 2 },
  'a daemon without environment': {
    script: (t) => `( setsid env -i sleep ${t} & ) ; sleep ${t}`,
    count: 2,
    isHidden: true,
  },
  'a deaf daemon tree without environment': {
    script: (t) => `( setsid env -i sh -c 'trap "" TERM; sleep ${t} & sleep ${t}' & ) ; sleep ${t}`,
    count: 3,
    isHidden: true,
  },
  'a daemon in the same session, its parent dead': {
    script: (t) => `( env -i sleep ${t} & ) ; sleep ${t}`,
    count: 2,
    isHidden: true,
  },
  'stopped processes': {
    script: (t) => `sleep ${t} & kill -STOP $! ; sleep ${t} & while :; do sleep ${t}; done`,
    count: 2,
  },
  'a chain that forks every millisecond': {
    script: (t) => `( setsid env -i ${chain(t)} & ) ; sleep ${t}`,
    count: 1,
    isHidden: true,
  },
  'processes that start each other again': { script: (t) => `${respawn(t)} & sleep ${t}`, count: 5 },
  'a renamed one': {
    script: (t) => `( setsid env -i perl -e '$0 = "[kworker/9:9] ${t}"; sleep 600' & ) ; sleep ${t}`,
    count: 2,
    isHidden: true,
  },
  'without its batch script': {
    script: (t) => `( setsid env -i sleep ${t} & ) ; sleep ${t} & kill -KILL $PPID; sleep ${t}`,
    count: 0,
    isHidden: true,
  },
  'without its folder': {
    script: (t) => `( setsid env -i sleep ${t} & ) ; rm -rf "$QUENCH_HOME/main/slurm/$QUENCH_JOB"; sleep ${t}`,
    count: 2,
    isHidden: true,
  },
  'without its records': {
    script: (t) =>
      `( setsid env -i sleep ${t} & ) ; d=$QUENCH_HOME/main/slurm/$QUENCH_JOB; rm -rf "$d/began" "$d/start" "$d/batch"; sleep ${t}`,
    count: 2,
    isHidden: true,
  },
  'another user': {
    script: (t) => `( setsid setpriv --reuid 65534 --clear-groups env -i sleep ${t} & ) ; sleep ${t}`,
    count: 2,
    isHidden: true,
  },
  'its own PID namespace': {
    script: (t) => `( setsid env -i unshare --pid --fork --mount-proc sh -c "sleep ${t} & sleep ${t}" & ) ; sleep ${t}`,
    count: 3,
    isHidden: true,
  },
  'a group of its own below that of the job': {
    script: (
      t,
    ) => `g=$(sed -n 's/^0:://p' /proc/self/cgroup); m=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
mkdir "$m$g/own" && ( echo 0 >"$m$g/own/cgroup.procs"; setsid env -i sleep ${t} & ) ; sleep ${t}`,
    count: 2,
    isHidden: true,
  },
}

describe.skipIf(reason)(`runaways on Slurm${reason === undefined ? '' : `: ${reason}`}`, () => {
  let cluster: Awaited<ReturnType<typeof startClusters>>
  beforeAll(async () => {
    cluster = await startClusters()
  })
  afterEach(() => cluster.unwrap())
  afterAll(() => cluster.stop())

  const observe = async (handle: Handle) => (await cluster.executor.poll([handle]))[0] as Observation
  const hasEnded = ({ state }: Observation) => state === 'cancelled' || state === 'failed' || state === 'succeeded'
  const start = async (name: string) => {
    const { script, count } = runaways[name] as Runaway
    const token = aToken()
    const command = `QUENCH_HOME='${cluster.scratch.directory}'; ${script(token)}`
    const options = { cluster: 'main', command } as JobSpec['options']
    const handle = await cluster.executor.submit(aJobSpec({ options }))
    await eventually(async () => withToken(token).length >= count && (await observe(handle)).state !== 'queued')
    return { name, token, handle }
  }
  const stopAll = async (names: readonly string[], mode: CancelMode) => {
    const jobs = await Promise.all(names.map(start))
    const handles = jobs.map(({ handle }) => handle)
    await cluster.executor.cancel(handles, { mode, reason: '' })
    let passes = 0
    const ends = new Map<string, Observation>()
    const left = new Map<string, number[]>()
    await eventually(async () => {
      passes += 1
      // What is deaf has its grace, as a kill pass gives it.
      if (passes === 20) await cluster.executor.cancel(handles, { mode: 'force', reason: '' })
      const seen = await cluster.executor.poll(handles)
      for (const [index, { name, token }] of jobs.entries()) {
        if (!seen[index] || !hasEnded(seen[index]) || ends.has(name)) continue
        ends.set(name, seen[index])
        left.set(name, withToken(token))
      }
      return ends.size === jobs.length
    })
    await sleep(5000)
    for (const { name, token } of jobs) left.set(`${name}, later`, withToken(token))
    return { ends, left: Object.fromEntries([...left].filter(([, pids]) => pids.length > 0)) }
  }
  const hasCgroup = /^\S+ \S+ cgroup2 /m.test(readFileSync('/proc/mounts', 'utf8'))

  test.skipIf(!hasCgroup).for(['graceful', 'force'] as const)(
    'leave nothing behind after a %s cancel, by their cgroups',
    async (mode) => {
      const { ends, left } = await stopAll(Object.keys(runaways), mode)
      expect(left).toEqual({})
      for (const [name, end] of ends) {
        expect([name, end.containment, end.evidence?.what]).toEqual([name, 'cgroup', 'cgroup populated 0'])
        if (name !== 'without its batch script') expect([name, end.state]).toEqual([name, 'cancelled'])
      }
      expect(
        existsSync('/sys/fs/cgroup/unified/quench/slurm') &&
          readdirSync('/sys/fs/cgroup/unified/quench/slurm').filter((one) => ends.has(one)),
      ).toEqual([])
    },
  )

  test.for(['graceful', 'force'] as const)(
    'that can be found leave nothing behind without one, and the end says best effort (%s)',
    async (mode) => {
      await cluster.wrap('sbatch', 'export QUENCH_CONTAINMENT="best effort"; exec "$real" "$@"')
      const { ends, left } = await stopAll(
        Object.keys(runaways).filter((name) => !runaways[name]?.isHidden),
        mode,
      )
      expect(left).toEqual({})
      for (const [name, end] of ends)
        expect([name, end.containment, end.evidence?.what]).toEqual([name, 'best effort', 'best effort: quiet for 2 s'])
    },
  )

  test('that end by themselves leave nothing behind, and their logs and codes stay', async () => {
    const token = aToken()
    const command = `( setsid env -i sleep ${token} & ) ; echo done; exit 3`
    const handle = await cluster.executor.submit(aJobSpec({ options: { cluster: 'main', command } }))
    await eventually(async () => hasEnded(await observe(handle)))
    expect(withToken(token)).toEqual([])
    expect(await observe(handle)).toMatchObject({ state: 'failed', exitCode: 3 })
    expect(readFileSync(join(cluster.folder, String(handle.name), 'stdout'), 'utf8')).toBe('done\n')
  })

  test('are waited for as long as one of them does not die', async () => {
    const { handle, token } = await start('deaf to signals')
    const [pid = 0] = withToken(token)
    const freezer = '/sys/fs/cgroup/freezer/quench-test-slurm'
    expect(pid).toBeGreaterThan(0)
    const { stdout } = await cluster.onLogin(
      `mkdir -p ${freezer} && echo ${pid} >${freezer}/cgroup.procs && echo FROZEN >${freezer}/freezer.state && echo frozen`,
    )
    if (stdout.trim() !== 'frozen') return
    await cluster.executor.cancel([handle], { mode: 'force', reason: '' })
    await sleep(6000)
    expect(withToken(token)).toEqual([pid])
    expect(await observe(handle)).toMatchObject({ state: 'running' })
    await cluster.onLogin(`echo THAWED >${freezer}/freezer.state`)
    await eventually(async () => (await observe(handle)).state === 'cancelled')
    expect(withToken(token)).toEqual([])
    await cluster.onLogin(`rmdir ${freezer}`)
  })
})
