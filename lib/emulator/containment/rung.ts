import type { ProcessIdentity } from '../processes/process-tree.ts'
import type { Containment } from './containments.ts'

/** How the process ended that we have started for a job. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A job whose processes are to end, as far as it is known. */
export interface HeldJob {
  readonly jobId: string
  /** No process of the job is older; clock ticks since boot. */
  readonly sinceTicks: number
  readonly runFile: string
  /** Is it ended by us, and not by itself? */
  readonly wasStopped: boolean
  /** What runs the job's script: its shell, or on `subreaper` the keeper above it. Unknown when it never came. */
  readonly root?: ProcessIdentity
  /** Resolves with the end of `root`, where it is a child of ours. */
  readonly childEnd?: Promise<ChildEnd>
}

/** What an end of processes rests on. `containment` is weaker than the job's where its rung was of no use in the end. */
export interface Quiet {
  readonly containment: Containment
  /** `cgroup populated 0`, `best effort: quiet for 2 s`. */
  readonly what: string
}

/** What a rung asks for when a job is started. */
export interface Hold {
  /** A folder to be made before the job's shell is started. */
  readonly group?: string
  /** The file into which the shell writes `0` before anything else. A shell that cannot starts nothing. */
  readonly join?: string
  /** Program and arguments that the shell is started by. */
  readonly keeper?: readonly string[]
  /** Program and arguments that the command is started by. */
  readonly wrapper?: readonly string[]
}

/** One way to hold the processes of this server's jobs together. */
export interface Rung {
  readonly containment: Containment
  hold(jobId: string, runFile: string): Hold
  /**
   * SIGKILL to every process of a job, until nothing of it is left.
   *
   * Whoever calls has seen to it that no shell of the job starts its command any more. Does not resolve while something
   * lives that cannot be killed. Safe to call twice.
   */
  end(job: HeldJob): Promise<Quiet>
  /** Does something of the job live, by what the kernel says? Undefined where that is unknown. */
  holdsSomething(job: HeldJob): boolean | undefined
  /** SIGKILL as far as that goes without waiting, for whoever must leave at once. */
  endNow(job: HeldJob): void
  /** The same for all that is in the server's group, whoever has put it there. */
  endAllNow(): void
  /** The jobs of this server that have a group on this machine, claimed by anybody or not. */
  list(): readonly string[]
  /** Take away what was made for the server. */
  close(): Promise<void>
}
