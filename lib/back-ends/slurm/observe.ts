import type { Containment } from '../../domain/containment.ts'
import type { Failure } from '../../domain/failure.ts'
import type { Observation } from '../executor.ts'

/** What is known of one job: Slurm's word, and the job's own. */
export interface SlurmReport {
  /**
   * As squeue or sacct print it: `R`, `RUNNING`, `CANCELLED by 1000`. `?`: Slurm says nothing of it. None: it says that it does
   * not know the job (any more).
   */
  readonly state?: string
  /** How the job's folder says that it ended; `cancelled` says that Quench asked for it first. */
  readonly fate?: 'ended' | 'cancelled' | 'lost'
  /** Of the task's command. */
  readonly exitCode?: number
  /** Slurm's reason for what waits or has failed; for what was cancelled, `by` and a user id where the site keeps accounts. */
  readonly why?: string
  readonly proof?: SlurmProof
  /** When the cluster was asked, by our clock. */
  readonly seenAt?: number
  readonly startedAt?: number
  readonly endedAt?: number
}

/** What it rests on that nothing of a job lives any more, where its node has told. */
export interface SlurmProof {
  readonly containment?: Containment
  readonly what: string
}

/** Compact forms, as `squeue --format=%t` prints them. Source: squeue(1), "JOB STATE CODES". */
const longForms: Readonly<Record<string, string>> = {
  BF: 'BOOT_FAIL',
  CA: 'CANCELLED',
  CD: 'COMPLETED',
  CF: 'CONFIGURING',
  CG: 'COMPLETING',
  DL: 'DEADLINE',
  F: 'FAILED',
  NF: 'NODE_FAIL',
  OOM: 'OUT_OF_MEMORY',
  PD: 'PENDING',
  PR: 'PREEMPTED',
  R: 'RUNNING',
  RD: 'RESV_DEL_HOLD',
  RF: 'REQUEUE_FED',
  RH: 'REQUEUE_HOLD',
  RQ: 'REQUEUED',
  RS: 'RESIZING',
  RV: 'REVOKED',
  S: 'SUSPENDED',
  SE: 'SPECIAL_EXIT',
  SI: 'SIGNALING',
  SO: 'STAGE_OUT',
  ST: 'STOPPED',
  TO: 'TIMEOUT',
}

/**
 * What Quench says of a job on a cluster.
 *
 * Only a state that the manual calls terminated is an end: COMPLETING is not, and a state that is not in the manual yet
 * counts as running. A job that Quench has cancelled is `cancelled` once it is gone, whatever Slurm calls that. A command
 * that ended with 0 has succeeded, unless Slurm says that it took the job away (time, memory, node, preemption).
 * Source: slurm.schedmd.com/job_state_codes.html; squeue(1), "JOB STATE CODES".
 */
export function observeSlurm({ proof, seenAt, ...report }: SlurmReport): Observation {
  const seen = observe(report)
  if (seen.state !== 'succeeded' && seen.state !== 'failed' && seen.state !== 'cancelled') return seen
  const { state } = report
  const what =
    proof?.what ?? (state === undefined ? 'the exit code that it has left' : `its state in Slurm: ${longForm(state)}`)
  return {
    ...seen,
    ...(proof?.containment && { containment: proof.containment }),
    ...(seenAt !== undefined && { evidence: { what, at: seenAt, clock: 'quench' } }),
  }
}

function observe({ state, fate, why, ...rest }: Omit<SlurmReport, 'proof' | 'seenAt'>): Observation {
  if (state === undefined) return fate === undefined || fate === 'lost' ? { state: 'lost', ...rest } : end(fate, rest)
  if (state === '?') return { state: 'unknown', failure: failure('NoAnswer', noAnswer, true) }
  const long = longForm(state)
  switch (long) {
    case 'PENDING':
    case 'CONFIGURING':
    case 'REQUEUED':
    case 'REQUEUE_FED':
    case 'REQUEUE_HOLD':
    case 'RESV_DEL_HOLD':
    case 'SPECIAL_EXIT':
      return { state: 'queued', ...(why !== undefined && { reason: why }) }
    case 'COMPLETED':
      return end(fate === 'cancelled' ? fate : 'ended', { exitCode: 0, ...rest })
    case 'FAILED':
      return end(fate === 'cancelled' ? fate : 'ended', rest, why)
    case 'CANCELLED':
      if (fate === 'cancelled' || (fate === 'ended' && rest.exitCode === 0)) return end(fate, rest)
      return { ...cancelled(rest), failure: failure('CancelledOutside', cancelledBy(why)) }
    case 'REVOKED':
      // A sibling of the federation has the job; only the job's own word tells its end here.
      return fate === 'ended' ? end(fate, rest) : running(rest)
    case 'TIMEOUT':
      return taken(rest, fate, failure('TimedOut', 'ended by Slurm at its time limit'))
    case 'DEADLINE':
      return taken(rest, fate, failure('Deadline', 'ended by Slurm at its deadline'))
    case 'OUT_OF_MEMORY':
      return taken(rest, fate, failure('OutOfMemory', 'used more memory than it had'))
    case 'NODE_FAIL':
      return taken(rest, fate, failure('NodeFail', 'a node of the job failed', true))
    case 'PREEMPTED':
      return taken(rest, fate, failure('Preempted', 'made room for a job of higher priority', true))
    case 'BOOT_FAIL':
      return taken(rest, fate, failure('BootFail', 'a node of the job did not boot', true))
    default:
      return running(rest)
  }
}

const noAnswer = 'squeue shows nothing of the job, and nobody says that it has ended'

type Rest = Omit<SlurmReport, 'state' | 'fate' | 'why' | 'proof' | 'seenAt'>

const running = ({ startedAt }: Rest): Observation => ({
  state: 'running',
  ...(startedAt !== undefined && { startedAt }),
})

function end(fate: 'ended' | 'cancelled', rest: Rest, why?: string): Observation {
  const { exitCode } = rest
  if (fate === 'cancelled') return cancelled(rest)
  if (exitCode === 0) return { state: 'succeeded', ...rest }
  return { state: 'failed', ...rest, failure: failure('NonZeroExit', explainExit(exitCode, why)) }
}

/** A command that was cancelled has no exit code worth showing. */
const cancelled = ({ exitCode, ...rest }: Rest): Observation => ({ state: 'cancelled', ...rest })

const taken = (rest: Rest, fate: SlurmReport['fate'], cause: Failure): Observation =>
  fate === 'cancelled' ? cancelled(rest) : { state: 'failed', ...rest, failure: cause }

const failure = (code: string, message: string, retryable = false): Failure => ({
  code,
  message,
  retryable,
  source: 'slurm',
})

/** A shell reports 128 and the signal's number for a command that a signal ended. */
const explainExit = (code: number | undefined, why: string | undefined) => {
  if (code === undefined) return `Slurm says FAILED${why === undefined ? '' : ` (${why})`}; the job left no exit code`
  return `exit code ${code}${code > 128 ? ` (signal ${code - 128})` : ''}`
}

/** Source: sacct(1), State: "CANCELLED by" the user id. */
const cancelledBy = (why: string | undefined) =>
  `cancelled on the cluster${why?.startsWith('by ') ? ` by user ${why.slice(3)}` : ''}, not by Quench`

/** `CANCELLED by 1000` and `CANCELLED+` are CANCELLED. Source: sacct(1), State. */
function longForm(state: string): string {
  const word = /^[A-Z_]+/.exec(state)?.[0] ?? ''
  return longForms[word] ?? word
}
