import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runLabel } from '../processes/job-run-file.ts'
import { createProcessLooker, type ProcessLooker } from '../processes/process-looker.ts'
import { currentTicks, readProcess } from '../processes/process-tree.ts'
import { createBestEffortRung } from './best-effort.ts'
import { createCgroupRung } from './cgroup.ts'
import { readCgroupMounts } from './cgroup-mounts.ts'
import { type Containment, containments } from './containments.ts'
import { createFreezerRung } from './freezer.ts'
import { createNamespaceRung } from './namespace.ts'
import type { ChildEnd, HeldJob, Rung } from './rung.ts'
import { createSubreaperRung } from './subreaper.ts'

/** How the processes of one server's jobs are held together on this machine. */
export interface Ladder {
  /** The best that is allowed and works here: new jobs are held by it. */
  readonly best: Rung
  /** For jobs that an earlier server has started. */
  rungOf(containment: Containment): Rung
  readonly looker: ProcessLooker
  /** SIGKILL to all that is in the server's groups, whoever has put it there, without waiting for its end. */
  killNow(): void
  /** The groups of this server's jobs, claimed by anybody or not. */
  list(): readonly string[]
  close(): Promise<void>
}

export interface LadderOptions {
  /** Of the server: names its group among those of others on this machine. */
  readonly serverId: string
  /** Default: all but `namespace`, which changes what a job sees. */
  readonly allowed?: readonly Containment[]
}

export const usualContainments: readonly Containment[] = containments.filter((one) => one !== 'namespace')

/** A machine that does not end a single `sleep` in this time has no use of a rung. */
const probeMs = 10_000

/** Find out what holds on this machine, by holding and ending a job that does nothing. */
export async function findLadder({ serverId, allowed = usualContainments }: LadderOptions): Promise<Ladder> {
  const looker = createProcessLooker()
  const lastResort = createBestEffortRung(looker)
  const { v2, freezer } = readCgroupMounts()
  const rungs: readonly Rung[] = [
    ...v2.map((mount) => createCgroupRung(join(mount, 'quench', serverId))),
    ...freezer.map((mount) => createFreezerRung(join(mount, 'quench', serverId))),
    createSubreaperRung(lastResort),
    createNamespaceRung(lastResort),
  ]
  let best: Rung = lastResort
  for (const rung of rungs) {
    if (!allowed.includes(rung.containment) || !(await holds(rung))) continue
    best = rung
    break
  }
  const known = [...new Set([best, ...rungs, lastResort])]
  return {
    best,
    rungOf: (containment) => known.find((rung) => rung.containment === containment) ?? lastResort,
    looker,
    killNow: () => {
      for (const rung of rungs) rung.endAllNow()
    },
    list: () => rungs.flatMap((rung) => rung.list()),
    close: async () => {
      await Promise.all(known.map((rung) => rung.close()))
      await looker.close()
    },
  }
}

/** Does a rung keep what a shell leaves behind, and end all of it? */
async function holds(rung: Rung): Promise<boolean> {
  const jobId = `probe-${randomUUID()}`
  const runFile = join(tmpdir(), `quench-${jobId}`)
  try {
    const { group, join: joinFile = '', keeper = [], wrapper = [] } = rung.hold(jobId, runFile)
    if (group !== undefined) mkdirSync(group, { recursive: true })
    writeFileSync(runFile, `${runLabel(rung.containment)} \n`)
    const script = '[ -z "$1" ] || { echo 0 > "$1"; } || exit 76; shift; exec "$@"'
    const command = [...wrapper, '/bin/sh', '-c', '(sleep 60 &) ; echo held; exec sleep 60']
    const [program = '', ...args] = [...keeper, '/bin/sh', '-c', script, 'quench-probe', joinFile, ...command]
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
    const childEnd = once(child, 'exit').then(([code, signal]): ChildEnd => ({ code, signal }), notStarted)
    const isHeld = await Promise.race([once(child.stdout, 'data').then(() => true), childEnd.then(() => false)])
    const root = readProcess(child.pid ?? 0)
    const job: HeldJob = {
      jobId,
      runFile,
      sinceTicks: currentTicks(),
      wasStopped: true,
      childEnd,
      ...(root && { root }),
    }
    if (!isHeld) return false
    const ended = rung.end(job).then(({ containment }) => containment === rung.containment)
    return await Promise.race([ended, sleep(probeMs, false, { ref: false })])
  } catch {
    return false
  } finally {
    for (const file of [runFile, `${runFile}.fate`]) rmSync(file, { force: true })
  }
}

const notStarted = (): ChildEnd => ({ code: null, signal: null })
