import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../lib/cli/quench.ts', import.meta.url))
const repository = fileURLToPath(new URL('../..', import.meta.url))

/** The commands write to a pipe, but for our own reader. With a cache they start in half the time. */
function environment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env
  return {
    ...inherited,
    ...(process.stdout.hasColors?.() ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
    NODE_COMPILE_CACHE: join(repository, 'node_modules', '.cache', 'node-compile-cache'),
  }
}
/** A server that does not end by itself is killed after this. */
const patienceMs = 60_000

export interface Result {
  readonly exitCode: number | null
  readonly out: string
  readonly error: string
}

interface RunOptions {
  /** Of the server. */
  readonly url: string
  /** Gets every line as it is written. */
  readonly onLine?: (line: string) => void
  /** Ends the command when it fires, and rejects. */
  readonly signal?: AbortSignal
  readonly stdin?: string
}

/** Run one `quench` command in a process of its own, from the top of this repository. */
export async function quench(
  args: readonly string[],
  { url, onLine, signal, stdin = '' }: RunOptions,
): Promise<Result> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: repository,
    env: { ...environment(), QUENCH_URL: url },
    ...(signal && { signal }),
  })
  child.stdin.end(stdin)
  const [out, error] = await Promise.all([
    readLines(child.stdout, onLine),
    readLines(child.stderr, onLine),
    once(child, 'close'),
  ])
  return { exitCode: child.exitCode, out, error }
}

async function readLines(stream: Readable, onLine?: (line: string) => void): Promise<string> {
  if (onLine) createInterface({ input: stream }).on('line', onLine)
  return text(stream)
}

export interface Up {
  readonly url: string
  readonly pid: number
  /** Send a signal and wait for the end. Resolves to the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/**
 * `quench up`, ready to serve. It runs in a process group of its own, where a ctrl-C at our terminal does not reach it.
 *
 * Errors: what it has written, when it ends before it listens.
 */
export async function quenchUp(args: readonly string[]): Promise<Up> {
  const child = spawn(process.execPath, [program, 'up', '--port', '0', ...args], {
    cwd: repository,
    env: environment(),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const errors = text(child.stderr)
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended.then(() => [''])])
  const url = /^listening on (http:\S+)$/.exec(String(line[0]))?.[1]
  if (url === undefined) throw new Error(`quench up ended with ${child.exitCode}: ${await errors}`)
  return { url, pid: child.pid ?? 0, end: (signal) => end(child, ended, signal) }
}

async function end(child: ChildProcess, ended: Promise<unknown>, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await ended
  clearTimeout(timer)
  return child.exitCode
}
