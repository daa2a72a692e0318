import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process, told apart from a later one with the same pid by its start time. */
export interface ProcessIdentity {
  readonly pid: number
  /** Field 22 of `/proc/PID/stat`: clock ticks since boot. */
  readonly startTicks: number
}

export interface LiveProcess extends ProcessIdentity {
  readonly parentPid: number
  readonly sessionId: number
}

interface FindOptions {
  /** Processes that started before are not looked at: saves reading the environment of most of the machine. */
  readonly sinceTicks?: number
  /** Processes that belong to a value whatever their environment says, e.g. seen before they cleared it. */
  readonly known?: ReadonlyMap<string, readonly ProcessIdentity[]>
  /** Sessions that belong to a value as a whole. */
  readonly sessions?: ReadonlyMap<number, string>
}

/**
 * The live processes that carry `variable=value` in their environment, and all their descendants, by value.
 *
 * A job's processes are known by the environment they inherit, so a daemon that left the process group and the session
 * is found as well. One that cleared its environment is found while its chain of parents is alive, not after.
 * Costs one pass over /proc, however many values. Zombies are dead: they are not listed. Linux only.
 * Source: proc(5), /proc/pid/environ and /proc/pid/stat.
 */
export function findProcesses(
  variable: string,
  values: ReadonlySet<string>,
  { sinceTicks = 0, known, sessions }: FindOptions = {},
): Map<string, LiveProcess[]> {
  const owned = new Map<string, string>()
  for (const [value, processes] of known ?? []) for (const process of processes) owned.set(keyOf(process), value)

  const ownerOf = new Map<number, string>()
  const young: LiveProcess[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!(pid > 0)) continue
    const live = readProcess(pid)
    if (!live || live.startTicks < sinceTicks) continue
    young.push(live)
    const value = owned.get(keyOf(live)) ?? sessions?.get(live.sessionId) ?? readVariable(pid, variable)
    if (value !== undefined && values.has(value)) ownerOf.set(pid, value)
  }

  const found = new Map<string, LiveProcess[]>()
  const parents = new Map(young.map(({ pid, parentPid }) => [pid, parentPid]))
  for (const live of young) {
    const value = inheritedOwner(live.pid, ownerOf, parents)
    if (value === undefined) continue
    const list = found.get(value)
    if (list) list.push(live)
    else found.set(value, [live])
  }
  return found
}

/** The owner of the nearest ancestor that has one, remembered for every process on the way. */
function inheritedOwner(pid: number, ownerOf: Map<number, string>, parents: ReadonlyMap<number, number>) {
  const way: number[] = []
  let at: number | undefined = pid
  while (at !== undefined && !ownerOf.has(at) && way.length < parents.size) {
    way.push(at)
    at = parents.get(at)
  }
  const owner = at === undefined ? undefined : ownerOf.get(at)
  if (owner !== undefined) for (const passed of way) ownerOf.set(passed, owner)
  return owner
}

/**
 * Send a signal to a process, unless it is gone or its pid belongs to another one by now.
 *
 * Returns whether it was sent. A process of another user counts as not sent.
 */
export function signalProcess(process: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(process)) return false
  try {
    return globalThis.process.kill(process.pid, signal)
  } catch {
    return false
  }
}

/**
 * SIGKILL everything that carries `variable=value` for one of `values`, until two looks in a row find nothing.
 *
 * Looks again, since a process may fork between the look and the signal, and has no environment while it takes on a
 * program. What was found stays known: a process that dies loses its environment before it is gone.
 * Returns the values that still have processes after `timeoutMs` (another user's, or stuck in the kernel).
 */
export async function killProcesses(
  variable: string,
  values: ReadonlySet<string>,
  { timeoutMs = 5_000, known = new Map(), ...options }: FindOptions & { readonly timeoutMs?: number } = {},
): Promise<ReadonlySet<string>> {
  const deadline = performance.now() + timeoutMs
  let found: ReadonlyMap<string, readonly ProcessIdentity[]> = new Map()
  let isQuiet = false
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, 50)) {
    const wasQuiet = isQuiet
    const live = findProcesses(variable, values, { ...options, known: merged(known, found) })
    isQuiet = live.size === 0
    if ((isQuiet && wasQuiet) || performance.now() > deadline) return new Set(live.keys())
    for (const processes of live.values()) for (const process of processes) signalProcess(process, 'SIGKILL')
    found = live
    await sleep(pauseMs)
  }
}

/**
 * SIGKILL everything that carries `variable=value`, until two looks in a row find nothing, or two seconds are over.
 *
 * Gives way to nothing else meanwhile, for a process that is about to leave. `spared` are those that end by themselves.
 */
export function killProcessesNow(variable: string, value: string, spared: readonly ProcessIdentity[]): void {
  const deadline = performance.now() + 2_000
  const isSpared = new Set(spared.map(keyOf))
  for (let quietLooks = 0; quietLooks < 2 && performance.now() < deadline; ) {
    const live = (findProcesses(variable, new Set([value])).get(value) ?? []).filter((one) => !isSpared.has(keyOf(one)))
    quietLooks = live.length === 0 ? quietLooks + 1 : 0
    for (const process of live) signalProcess(process, 'SIGKILL')
  }
}

function merged(
  some: ReadonlyMap<string, readonly ProcessIdentity[]>,
  more: ReadonlyMap<string, readonly ProcessIdentity[]>,
): ReadonlyMap<string, readonly ProcessIdentity[]> {
  const values = new Set([...some.keys(), ...more.keys()])
  return new Map([...values].map((value) => [value, [...(some.get(value) ?? []), ...(more.get(value) ?? [])]]))
}

/** Is it there, and not a zombie? */
export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  return readProcess(pid)?.startTicks === startTicks
}

/** A live process by its pid; undefined where there is none, or only a zombie. */
export function readProcess(pid: number): LiveProcess | undefined {
  const stat = readSmallFile(`/proc/${pid}/stat`)
  return stat === undefined ? undefined : parseStat(stat)
}

/** Reads one line of `/proc/PID/stat`; the command's name may hold spaces and brackets, so fields count from the last. */
export function parseStat(stat: string): LiveProcess | undefined {
  const [state, parentPid, _group, sessionId, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 20)
  if (state === 'Z' || state === 'X' || rest.length < 16) return undefined
  const pid = Number.parseInt(stat, 10)
  return { pid, parentPid: Number(parentPid), sessionId: Number(sessionId), startTicks: Number(rest[15]) }
}

/** Tells this boot of the machine from every other: a pid of another boot means nothing. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** The start time that a process starting now would have, in clock ticks since boot (100 a second). */
export function currentTicks(): number {
  return Math.floor(Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 100)
}

function readVariable(pid: number, variable: string): string | undefined {
  const environ = readSmallFile(`/proc/${pid}/environ`)
  if (environ === undefined) return undefined
  const entry = `${variable}=`
  let start = environ.startsWith(entry) ? 0 : environ.indexOf(`\0${entry}`)
  if (start < 0) return undefined
  start = environ.indexOf('=', start) + 1
  const end = environ.indexOf('\0', start)
  return environ.slice(start, end < 0 ? undefined : end)
}

/** The children of a process, the oldest first; none where there is no such process. Source: proc(5), /proc/pid/task/tid/children. */
export function childrenOf(pid: number): readonly number[] {
  let threads: readonly string[]
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
  return threads.flatMap((thread) => {
    const text = readSmallFile(`/proc/${pid}/task/${thread}/children`)?.trim() ?? ''
    return text === '' ? [] : text.split(' ').map(Number)
  })
}

export const keyOf = ({ pid, startTicks }: ProcessIdentity) => `${pid}@${startTicks}`

let buffer = Buffer.allocUnsafe(16 * 1024)

/** Three system calls into one buffer: half the time of readFileSync, and a pass makes hundreds of them. */
function readSmallFile(path: string): string | undefined {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    let length = 0
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null)
      length += read
      if (length < buffer.length) {
        // procfs answers a stat in one read, and an environ a page at a time.
        if (read === 0 || path.endsWith('stat')) return buffer.toString('utf8', 0, length)
      } else {
        buffer = Buffer.concat([buffer], 2 * buffer.length)
      }
    }
  } catch {
    // Ended in between, or another user's.
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
