import { randomInt, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { Containment } from '../../../lib/emulator/containment/containments.ts'
import { findLadder, type Ladder } from '../../../lib/emulator/containment/ladder.ts'
import { createJobProcesses, type JobEnd, type JobHold } from '../../../lib/emulator/processes/job-processes.ts'
import { patienceMs } from '../../support/patience.ts'

/** Something that no other command line of this machine holds, and that `sleep` takes for a time. */
export const aToken = (): string => `${randomInt(1e5, 1e6)}.${randomInt(1e8, 1e9)}`

/** Live processes whose command line holds a text: a look that shares nothing with ours. */
export function withToken(token: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      if (!/^\d+$/.test(name) || !readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(token)) return []
      return /\) [ZX] /.test(readFileSync(`/proc/${name}/stat`, 'latin1')) ? [] : [Number(name)]
    } catch {
      return []
    }
  })
}

/** A folder with what the processes of jobs need in it, gone at the end of the test. */
export function aFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quench-held-'))
  for (const name of ['runs', 'logs']) mkdirSync(join(directory, name))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A ladder with one rung, gone at the end of the test. */
export async function aLadder(allowed: Containment): Promise<Ladder> {
  const ladder = await findLadder({ serverId: `test-${randomUUID()}`, allowed: [allowed] })
  onTestFinished(async () => {
    ladder.killNow()
    await ladder.close()
  })
  return ladder
}

/** Processes of jobs on a folder, of which nothing is left at the end of the test. */
export function someProcesses(ladder: Ladder, directory: string, stopTimeoutSeconds = 0.3) {
  const ends = new Map<string, JobEnd>()
  const holds = new Map<string, JobHold>()
  const processes = createJobProcesses(() => ladder, {
    directory,
    workingDirectory: directory,
    stopTimeoutSeconds,
    onStart: (jobId, hold) => void holds.set(jobId, hold),
    onSignal: async () => {},
    onEnd: (jobId, end) => void ends.set(jobId, end),
  })
  onTestFinished(() => processes.close({ detachJobs: false }))

  return {
    ...processes,
    holds,
    start: (script: string): string => {
      const jobId = randomUUID()
      processes.launch(jobId, ['sh', '-c', script], { PATH: process.env.PATH ?? '' })
      return jobId
    },
    endOf: async (jobId: string): Promise<JobEnd> => {
      await expect.poll(() => ends.has(jobId), { timeout: patienceMs, interval: 10 }).toBe(true)
      return ends.get(jobId) as JobEnd
    },
  }
}
