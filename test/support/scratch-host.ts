import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { findProcesses, killProcesses } from '../../lib/emulator/processes/process-tree.ts'

const variable = 'QUENCH_SCRATCH'

/** A folder and a mark in the environment that stand for a host: what was started with the mark can be counted. */
export interface ScratchHost {
  readonly directory: string
  /** For everything that is to be counted. */
  readonly environment: Readonly<Record<string, string>>
  /** Run a script to its end, as an agent would. */
  run(script: string): Promise<{ exitCode: number | null; stdout: string }>
  /** A process that nobody may signal, in the environment given and nothing else. */
  bystander(environment?: Record<string, string>): ChildProcess
  countLive(): number
  /** Kills what is left, and says how much that was. */
  dispose(): Promise<number>
}

export function createScratchHost(): ScratchHost {
  const mark = randomUUID()
  const directory = mkdtempSync(join(tmpdir(), 'quench-host-'))
  const environment = { [variable]: mark }
  const bystanders: ChildProcess[] = []
  const countLive = () => findProcesses(variable, new Set([mark])).get(mark)?.length ?? 0

  return {
    directory,
    environment,
    countLive,
    run: (script) =>
      new Promise((resolve, reject) => {
        const env = { PATH: process.env.PATH, HOME: directory, QUENCH_HOME: directory, ...environment }
        const child = spawn('sh', ['-s'], { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
        let stdout = ''
        child.stdout?.setEncoding('utf8').on('data', (data: string) => {
          stdout += data
        })
        child.once('error', reject)
        child.once('close', (exitCode) => resolve({ exitCode, stdout }))
        child.stdin?.end(script)
      }),
    bystander: (env = {}) => {
      const child = spawn('/bin/sleep', ['300'], { env, stdio: 'ignore' })
      bystanders.push(child)
      return child
    },
    dispose: async () => {
      for (const child of bystanders) child.kill('SIGKILL')
      const left = countLive()
      await killProcesses(variable, new Set([mark]))
      rmSync(directory, { recursive: true, force: true })
      return left
    },
  }
}

/** Is it running, by the system's word? */
export const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

/** Repeats a look until it holds. */
export async function eventually(look: () => unknown | Promise<unknown>): Promise<void> {
  await expect.poll(look).toBeTruthy()
}
