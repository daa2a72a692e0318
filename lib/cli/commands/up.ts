import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { InvalidArgumentError, Option } from 'commander'
import type { Prices } from '../../back-ends/prices.ts'
import { InvalidInput } from '../../domain/errors.ts'
import { type Containment, containments } from '../../emulator/containment/containments.ts'
import type { Server } from '../../local/server.ts'
import { loadPrices } from '../input/load-prices.ts'
import { readTextFile } from '../input/read-text-file.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'
import { parseCount } from './parse-count.ts'

interface UpOptions {
  readonly port: number
  readonly data: string
  readonly vcpus: number
  readonly hosts: string[]
  readonly stopTimeout: number
  readonly queueSeconds: number
  readonly slurm?: boolean
  readonly prices?: string
  readonly detachJobs?: boolean
  readonly containment?: Containment[]
}

/** `quench up` */
export const addUp: AddCommand = (program, run) => {
  program
    .command('up')
    .description('start a server on this machine, with back ends that run real processes; ctrl-C stops it')
    .option('--port <n>', 'port on 127.0.0.1; 0 takes any that is free', parseCount({ min: 0, max: 65_535 }), 7766)
    .option('--data <dir>', 'where its state is kept; started again on it, open dispatches go on', '.quench')
    .option('--vcpus <n>', 'how many vCPUs Batch jobs share', parseCount({ min: 1 }), 16)
    .addOption(
      new Option('--hosts <a,b>', 'names of the SSH hosts')
        .argParser(parseHosts)
        .default(['lab-1', 'lab-2'], 'lab-1,lab-2'),
    )
    .option(
      '--stop-timeout <seconds>',
      'from SIGTERM to SIGKILL for a Batch job',
      parseCount({ min: 0, max: 3600 }),
      30,
    )
    .option('--queue-seconds <n>', 'how long Braket devices let tasks wait', parseCount({ min: 0, max: 86_400 }), 0)
    .option('--slurm', 'offer the Slurm of this machine as the executor slurm; sbatch must be on the PATH')
    .option('--prices <file>', 'what jobs cost, as JSON; without it no price is known')
    .addOption(
      new Option(
        '--containment <a,b>',
        'how Batch and hybrid jobs may be held together: cgroup, freezer, subreaper, namespace, best-effort; the first that works here is taken (default: all but namespace)',
      ).argParser(parseContainments),
    )
    .option('--detach-jobs', 'leave running jobs alone on ctrl-C; they are found again at the next start')
    .action(run(up))
}

function parseHosts(text: string): string[] {
  const hosts = text.split(',').map((host) => host.trim())
  const bad = hosts.find((host) => !/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(host))
  if (bad !== undefined) throw new InvalidArgumentError(`"${bad}" is not the name of a host.`)
  return hosts
}

function parseContainments(text: string): Containment[] {
  return text.split(',').map((word) => {
    const found = containments.find((one) => one.replace(' ', '-') === word.trim())
    if (!found)
      throw new InvalidArgumentError(
        `"${word.trim()}" is none of ${containments.join(', ').replace('best e', 'best-e')}.`,
      )
    return found
  })
}

async function up({ json, print, printError }: Session, options: UpOptions): Promise<ExitCode> {
  const { port, data, vcpus, hosts, stopTimeout: stopTimeoutSeconds, detachJobs = false } = options
  const prices = options.prices === undefined ? undefined : await readPrices(options.prices)
  outliveReaders()
  let server: Server | undefined
  const stopAsked = signalToStop(() => {
    if (!detachJobs) server?.killNow()
    process.exit(exitCodes.forced)
  })
  await makeFolder(resolve(data))
  // Loaded here, so that the other commands start without it.
  const { startServer } = await import('../../local/server.ts')
  server = await startServer({
    port,
    directory: resolve(data),
    vcpus,
    hosts,
    stopTimeoutSeconds,
    workingDirectory: process.cwd(),
    queueSeconds: options.queueSeconds,
    ...(options.slurm && { slurm: await isSlurmThere() }),
    ...(prices && { prices }),
    ...(options.containment && { containments: options.containment }),
  }).catch((error: unknown) => {
    throw isPortTaken(error) ? new InvalidInput(`Port ${port} is taken. Choose another: --port N, 0 for any.`) : error
  })
  print(json ? JSON.stringify({ url: server.url }) : `listening on ${server.url}`)

  await stopAsked
  const jobs = detachJobs ? 'leaving the running jobs alone' : 'ending the running jobs'
  printError(`Stopping: ${jobs}. Open dispatches go on with the next "quench up". Ctrl-C again leaves at once.`)
  await server.close({ detachJobs })
  printError('Stopped.')
  return exitCodes.ok
}

/** Whoever reads what we write may go, and a terminal be closed: a server ends at a signal, and not before its jobs. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error')
    stream.on('error', () => {})
  }
}

async function readPrices(file: string): Promise<Prices> {
  return loadPrices(await readTextFile(file), file)
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdirAndParents(path)
    // That it is there does not say that we may write to it.
    await rmdir(await mkdtemp(join(path, '.probe-')))
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/, mkd\w+ .*/, '') : String(error)
    throw new InvalidInput(`--data ${path} cannot be used: ${reason}.`, { cause: error })
  }
}

/** One folder after the other: with `recursive`, Node never comes back from /proc, where nothing can be made. */
async function mkdirAndParents(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await mkdirAndParents(dirname(path))
    await mkdir(path)
  }
}

/** Errors: InvalidInput where there is no Slurm, or its controller does not answer. */
async function isSlurmThere(): Promise<true> {
  try {
    await promisify(execFile)('sinfo', ['--noheader'], { timeout: 10_000 })
    return true
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.trim() : String(cause)
    throw new InvalidInput(`No Slurm answers on this machine (${message}). Start it, or leave --slurm away.`, { cause })
  }
}

/** Resolves with the first signal. From then on a ctrl-C is `again`: there is no moment at which it would just end us. */
function signalToStop(again: () => void): Promise<void> {
  return new Promise((resolve) => {
    let isAsked = false
    const ask = (signal: NodeJS.Signals) => {
      if (isAsked && signal === 'SIGINT') again()
      isAsked = true
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask)
  })
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
