import { execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import type { Handle } from '../../lib/back-ends/executor.ts'
import { createSlurmExecutor } from '../../lib/back-ends/slurm/executor.ts'
import { createFaults } from '../../lib/emulator/faults.ts'
import { createLocalRunCommand } from '../../lib/emulator/run-command/local-run-command.ts'
import { patienceMs } from './patience.ts'
import { createScratchHost } from './scratch-host.ts'

const run = promisify(execFile)

/** A one-node Slurm cluster of this machine, with ports and folders of its own. */
export interface SlurmCluster {
  /** For everything that is to reach the cluster. */
  readonly environment: Readonly<Record<string, string>>
  /** As after MinJobAge: the controller starts afresh, and knows of no job. There must be none that lives. */
  forget(): Promise<void>
  /** Ends every daemon, by its pid. Jobs are the caller's to stop. */
  stop(): Promise<void>
}

const programs = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'sinfo']
const searchPath = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`

/** Why there can be no cluster here; undefined where there can. */
export function whyNoSlurm(): string | undefined {
  const missing = programs.filter((program) => !findProgram(program))
  if (missing.length > 0) return `${missing.join(', ')} not installed (Debian: slurm-wlm, munge)`
  return process.getuid?.() === 0 ? undefined : 'slurmd needs root'
}

/** Starts the cluster and waits until its node is idle. Undefined where `whyNoSlurm` says why. */
export async function startSlurmCluster(): Promise<SlurmCluster | undefined> {
  if (whyNoSlurm() !== undefined) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'quench-slurm-'))
  const at = (name: string) => join(directory, name)
  // munged refuses folders that others may write to; a job of another user must reach its own.
  chmodSync(directory, 0o755)
  for (const folder of ['munge', 'state', 'spool']) mkdirSync(at(folder), { mode: 0o700 })
  writeFileSync(at('munge/key'), randomBytes(128), { mode: 0o400 })
  writeFileSync(at('slurm.conf'), configuration(directory, await freePort(), await freePort()))
  const environment = { SLURM_CONF: at('slurm.conf'), PATH: searchPath }
  const env = { ...process.env, ...environment }

  const daemons: number[] = []
  const start = (program: string, ...args: string[]): number => {
    // In the foreground: the pid is the daemon's.
    const child = spawn(findProgram(program) ?? program, args, { cwd: directory, env, stdio: 'ignore', detached: true })
    child.unref()
    if (child.pid === undefined) throw new Error(`${program} does not start`)
    daemons.push(child.pid)
    return child.pid
  }
  const isIdle = async () => (await run('sinfo', ['--noheader', '--format=%T'], { env })).stdout.trim() === 'idle'
  let controller = 0
  const stop = async () => {
    for (const pid of daemons.reverse()) await end(pid)
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const munge = (name: string) => at(`munge/${name}`)
    start(
      ...(['munged', '--foreground', '--force', '--num-threads=2', '--socket', munge('socket')] as const),
      ...(['--key-file', munge('key'), '--pid-file', munge('pid')] as const),
      ...(['--log-file', munge('log'), '--seed-file', munge('seed')] as const),
    )
    await until(() => exists(munge('socket')), 'munged', directory)
    controller = start('slurmctld', '-D', '-i', '-c')
    start('slurmd', '-D', '-c')
    await until(isIdle, 'slurmctld and slurmd', directory)
  } catch (error) {
    await stop()
    throw error
  }
  const forget = async () => {
    await end(controller)
    controller = start('slurmctld', '-D', '-i', '-c')
    await until(isIdle, 'slurmctld', directory)
  }
  return { environment, forget, stop }
}

const clusters = { main: { instanceId: 'i-0001' }, second: { instanceId: 'i-0002' } }

/** Two login nodes of one real cluster, with homes of their own: to the executor, two clusters. */
export async function startClusters() {
  const slurm = (await startSlurmCluster()) as SlurmCluster
  const scratch = createScratchHost()
  const faults = createFaults()
  const { bin, countCancels } = await countingScancel(scratch.directory)
  const PATH = `${bin}:${slurm.environment.PATH}`
  const environment = { ...slurm.environment, ...scratch.environment, PATH }
  const ssm = createLocalRunCommand({ ...scratch, hosts: clusters, faults, environment })
  const executor = createSlurmExecutor({ ssm, clusters })
  const onLogin = (script: string) =>
    scratch.run(Object.entries(environment).reduce((text, [key, value]) => `export ${key}='${value}'\n${text}`, script))
  const stop = async () => {
    await onLogin(
      'scancel --batch --signal=KILL --user=root; scancel --user=root; until [ -z "$(squeue --noheader)" ]; do sleep 0.1; done',
    )
    for (const deadline = Date.now() + patienceMs; scratch.countLive() > 0 && Date.now() < deadline; ) await sleep(50)
    await ssm.close()
    expect(await scratch.dispose(), 'processes left on the cluster').toBe(0)
    await slurm.stop()
  }
  return {
    slurm,
    scratch,
    faults,
    executor,
    onLogin,
    countCancels,
    ...wrappers(bin),
    stop,
    folder: join(scratch.directory, 'main/slurm'),
  }
}

/** A scancel that counts its calls, but for the question which options it has. */
async function countingScancel(directory: string) {
  const bin = join(directory, 'bin')
  const log = join(bin, 'calls')
  await mkdir(bin)
  await writeFile(log, '')
  const script = `#!/bin/sh\n[ "$1" = --help ] || echo "$*" >>'${log}'\nPATH=\${PATH#*:}\nexec scancel "$@"\n`
  await writeFile(join(bin, 'scancel'), script, { mode: 0o755 })
  return { bin, countCancels: () => readFileSync(log, 'utf8').split('\n').length - 1 }
}

/** What sites put before Slurm's programs: a shell script, in which "$real" is the program itself. */
function wrappers(bin: string) {
  const wrapped = new Set<string>()
  const wrap = async (program: string, script: string) => {
    wrapped.add(program)
    const real = findProgram(program)
    await writeFile(join(bin, program), `#!/bin/sh\nreal='${real}'\n${script}\n`, { mode: 0o755 })
  }
  const unwrap = async () => {
    for (const program of wrapped) await rm(join(bin, program))
    wrapped.clear()
  }
  return { wrap, unwrap }
}

/** Of a job that the cluster never had. */
export const aHandle = (cluster: keyof typeof clusters, name = `quench-${randomUUID()}-1-1`): Handle => {
  return { cluster, instanceId: clusters[cluster].instanceId, jobId: 400_000, name }
}

/** As many CPUs as the tests have jobs at a time, by `config_overrides`. Source: slurm.conf(5). */
function configuration(directory: string, controllerPort: number, nodePort: number): string {
  const host = hostname().split('.')[0]
  return `ClusterName=quench
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
AuthType=auth/munge
AuthInfo=socket=${directory}/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${directory}/state
SlurmdSpoolDir=${directory}/spool
SlurmctldPidFile=${directory}/slurmctld.pid
SlurmdPidFile=${directory}/slurmd.pid
SlurmctldLogFile=${directory}/slurmctld.log
SlurmdLogFile=${directory}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
ReturnToService=2
KillWait=60
NodeName=${host} NodeAddr=127.0.0.1 CPUs=256 RealMemory=2000
PartitionName=main Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`
}

const exists = (file: string) => {
  try {
    accessSync(file, constants.F_OK)
    return true
  } catch {
    return false
  }
}

function findProgram(program: string): string | undefined {
  return searchPath
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(exists)
}

/** Below those that the system gives to whoever asks for any port: nobody else takes it before its daemon does. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

async function until(look: () => boolean | Promise<boolean>, what: string, directory: string): Promise<void> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(50)) {
    if (await Promise.resolve(look()).catch(() => false)) return
  }
  const logs = ['munge/log', 'slurmctld.log', 'slurmd.log'].map((name) => {
    const file = join(directory, name)
    return exists(file) ? readFileSync(file, 'utf8').slice(-1000) : `${name}: none`
  })
  throw new Error(`${what}: not ready in ${patienceMs} ms\n${logs.join('\n')}`)
}

/** TERM, and KILL after 5 s. */
async function end(pid: number): Promise<void> {
  for (let waitedMs = 0; isAlive(pid); waitedMs += 50) {
    if (waitedMs === 0) process.kill(pid, 'SIGTERM')
    if (waitedMs === 5000) process.kill(pid, 'SIGKILL')
    await sleep(50)
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
