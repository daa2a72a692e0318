import { AsyncLocalStorage } from 'node:async_hooks'
import type { Deadline } from '../../lib/back-ends/executor.ts'
import type { Random } from './random.ts'

/** What an injected crash throws. Nothing in the project may catch it. */
export class Crash extends Error {
  override name = 'Crash'
}

/** A pretended operating-system process: when it crashes, everything that it was doing ends. */
export interface Host {
  readonly name: string
  alive: boolean
}

/** What one strand of work has seen, for the checks. */
export interface Strand {
  readonly host: Host
  /** By dispatch: the sequence number of its last read of META. */
  readonly metaReads: Map<string, number>
}

interface Waiting {
  readonly host: Host
  readonly label: string
  readonly since: number
  /** When a rest may end by itself. */
  readonly until?: number
  readonly isWoken?: () => boolean
  readonly run: (crash: 'before' | 'after' | undefined) => Promise<void>
  readonly kill: () => void
}

/**
 * Every call to the store and to a back end waits at a gate, and the driver lets one of them through at a time, in
 * random order: so each interleaving of the processes can happen, and the same seed gives the same one.
 */
export class Gates {
  readonly strands = new AsyncLocalStorage<Strand>()
  readonly trace: string[] = []
  waiting: Waiting[] = []
  private alarms: { readonly at: number; readonly ring: () => void }[] = []
  now: number
  sequence = 0
  crashes = 0
  /** Calls that must wait, however the dice fall: how a test sets up one certain race. */
  isHeld: (label: string, host: Host) => boolean = () => false

  constructor(now: number) {
    this.now = now
  }

  /** Wait for a turn, then do it. */
  pass<T>(label: string, effect: () => Promise<T>): Promise<T> {
    const strand = this.strands.getStore()
    if (!strand) throw new Error(`${label} outside of a strand`)
    const { host } = strand
    if (!host.alive) return Promise.reject(new Crash(host.name))
    return new Promise<T>((resolve, reject) => {
      const kill = () => reject(new Crash(`${host.name} at ${label}`))
      const run = async (crash: 'before' | 'after' | undefined) => {
        this.sequence += 1
        this.trace.push(`${this.sequence} t=${this.now} ${host.name}: ${label}${crash ? ` (crash ${crash})` : ''}`)
        if (crash === 'before') return this.crash(host, kill)
        try {
          // In the caller's context: the driver that lets it through has none.
          const answer = await this.strands.run(strand, effect)
          if (crash === 'after') return this.crash(host, kill)
          resolve(answer)
        } catch (error) {
          reject(error)
        }
      }
      this.waiting.push({ host, label, since: this.now, run, kill })
    })
  }

  /** A rest: ends when `isWoken`, or at `until`. */
  rest(until: number, isWoken: () => boolean): Promise<void> {
    const strand = this.strands.getStore()
    if (!strand) throw new Error('rest outside of a strand')
    const { host } = strand
    if (!host.alive) return Promise.reject(new Crash(host.name))
    return new Promise<void>((resolve, reject) => {
      const run = async () => resolve()
      const kill = () => reject(new Crash(host.name))
      this.waiting.push({ host, label: 'rest', since: this.now, until, isWoken, run, kill })
    })
  }

  /** A deadline whose signal fires when the clock of the world has come to it. */
  deadlineAt(at: number): Deadline {
    const controller = new AbortController()
    this.alarms.push({ at, ring: () => controller.abort() })
    return { at, signal: controller.signal }
  }

  crash(host: Host, kill: () => void): void {
    this.crashes += 1
    host.alive = false
    kill()
    for (const one of this.waiting.filter((other) => other.host === host)) one.kill()
    this.waiting = this.waiting.filter((other) => other.host !== host)
  }

  /** Let one through; false when all that is left are rests that have not ended. */
  async step(random: Random, crashProbability: number): Promise<boolean> {
    for (const { ring } of this.alarms.filter(({ at }) => at <= this.now)) ring()
    this.alarms = this.alarms.filter(({ at }) => at > this.now)
    const ready = this.waiting.filter(
      (one) =>
        (one.until === undefined || one.until <= this.now || one.isWoken?.()) && !this.isHeld(one.label, one.host),
    )
    if (ready.length === 0) return false
    const chosen = random.pick(ready)
    this.waiting.splice(this.waiting.indexOf(chosen), 1)
    const crash =
      chosen.until === undefined && random.chance(crashProbability)
        ? random.pick(['before', 'after'] as const)
        : undefined
    await chosen.run(crash)
    await settle()
    return true
  }

  /** How long the oldest call has been in flight, in milliseconds of the pretended clock. */
  longestCall(): number {
    return Math.max(0, ...this.waiting.filter((one) => one.until === undefined).map((one) => this.now - one.since))
  }

  nextRestEnds(): number | undefined {
    const ends = this.waiting.flatMap((one) => (one.until === undefined ? [] : [one.until]))
    return ends.length > 0 ? Math.min(...ends) : undefined
  }
}

/** Let every strand run on to its next gate: between gates there are only microtasks. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
