import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findProcesses } from '../../examples/demo/find-processes.ts'
import { quench, quenchUp, type Result } from '../../examples/demo/quench.ts'
import type { DispatchView, EventView, PageView, TaskView } from '../../lib/schema/api.ts'
import { patienceMs } from '../support/patience.ts'

interface Shown {
  readonly dispatch: DispatchView
  readonly tasks: readonly TaskView[]
}

/** A folder, a server on it that can be started and killed, and the commands of a user. */
export interface TestRegion extends AsyncDisposable {
  readonly url: string
  /** The server's data. */
  readonly directory: string
  /** A path in a folder that jobs and tests share. */
  scratch(name: string): string
  /** Lines that jobs have written into such a file. */
  lines(name: string): readonly string[]
  up(...args: string[]): Promise<void>
  /** Send a signal to the server and wait for its end; gives its exit code. */
  down(signal: NodeJS.Signals): Promise<number | null>
  quench(...args: string[]): Promise<Result>
  /** The same with something on stdin. */
  pipe(stdin: string, ...args: string[]): Promise<Result>
  call(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }>
  /** Dispatch a graph from stdin; gives its id. */
  dispatch(graph: object): Promise<string>
  show(dispatchId: string): Promise<Shown>
  events(dispatchId: string): Promise<readonly EventView[]>
  /** The text of a task's or a dispatch's result. */
  result(uri: string | undefined): string
  /** Tasks with live processes on this machine, by id and sorted: those of `dispatchId`, or of all dispatches. */
  liveTasks(dispatchId?: string): Promise<readonly number[]>
}

/** A new region, up. When it is disposed of, its server ends, and nothing may be left. */
export async function aRegion(...args: string[]): Promise<TestRegion> {
  const root = await mkdtemp(join(tmpdir(), 'quench-e2e-'))
  const directory = join(root, 'data')
  const scratch = (name: string) => join(root, 'scratch', name)
  await mkdir(scratch(''))
  const start = (options: readonly string[]) => quenchUp(['--data', directory, '--stop-timeout', '1', ...options])
  let server: Awaited<ReturnType<typeof start>> | undefined = await start(args)

  const region: TestRegion = {
    get url() {
      return server?.url ?? ''
    },
    directory,
    scratch,
    lines: (name) => readLines(scratch(name)),
    up: async (...options) => {
      server = await start(options)
    },
    down: async (signal) => {
      const ending = server
      server = undefined
      return ending?.end(signal) ?? null
    },
    quench: (...command) => region.pipe('', ...command),
    // Longer than a test may wait, it would leave the region behind.
    pipe: (stdin, ...command) => quench(command, { url: region.url, stdin, signal: AbortSignal.timeout(patienceMs) }),
    call: async (path, init) => {
      const response = await fetch(`${region.url}${path}`, init)
      return { status: response.status, body: await response.json() }
    },
    dispatch: async (graph) => {
      const result = await region.pipe(JSON.stringify(graph), 'dispatch', '-', '--json')
      if (result.exitCode !== 0) throw new Error(result.error)
      return JSON.parse(result.out).dispatchId
    },
    show: async (dispatchId) => {
      const path = `/dispatches/${dispatchId}`
      const [dispatch, tasks] = await Promise.all([region.call(path), region.call(`${path}/tasks`)])
      return { dispatch: dispatch.body as DispatchView, tasks: (tasks.body as PageView<TaskView>).items }
    },
    events: async (dispatchId) => {
      const { body } = await region.call(`/dispatches/${dispatchId}/events`)
      return (body as PageView<EventView>).items
    },
    result: (uri) => readFileSync(new URL(uri ?? ''), 'utf8'),
    liveTasks: async (marker = directory) => {
      const processes = await findProcesses(marker)
      return [...new Set(processes.map(({ taskId = -1 }) => taskId))].sort((a, b) => a - b)
    },
    [Symbol.asyncDispose]: async () => {
      const isUp = server !== undefined
      await region.down('SIGTERM')
      const left = await findProcesses(directory)
      for (const { pid } of left) process.kill(pid, 'SIGKILL')
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
      if (isUp && left.length > 0) throw new Error(`processes were left behind: ${JSON.stringify(left)}`)
    },
  }
  return region
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}

/** Let the jobs go on that wait for this file; see `waitingScript`. */
export function release(region: TestRegion, ...names: readonly string[]): Promise<unknown> {
  return Promise.all(names.map((name) => writeFile(region.scratch(`go-${name}`), '')))
}

/** A shell script that adds a line to `ran-<name>`, and then waits to be released. */
export function waitingScript(region: TestRegion, name: string): string {
  return `echo "$QUENCH_ATTEMPT" >>${region.scratch(`ran-${name}`)}
until [ -e ${region.scratch(`go-${name}`)} ]; do sleep 0.1; done`
}

/** The same script as a task of either back end. */
export function aTask(executor: 'batch' | 'ssh', name: string, script: string, needs: readonly string[] = []) {
  const options = executor === 'batch' ? { command: ['sh', '-c', script] } : { host: 'lab-1', command: script }
  return { name, executor, options, needs }
}

/** Wait for something to become true. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`)
    await sleep(50)
  }
}
