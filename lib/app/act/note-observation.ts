import { isDeepStrictEqual } from 'node:util'
import { hostAwayCode, type Observation } from '../../back-ends/executor.ts'
import type { Failure } from '../../domain/failure.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import type { RunChange } from '../../store/store.ts'

/** What an observation changes about a run; undefined where it says nothing new. */
export function changeOf(run: TaskRun, seen: Observation, now: number): RunChange | undefined {
  const change = stateChange(run, seen, now)
  // With an end comes what it cost, known or not: a poll that saw less of it may write after `run` was read.
  const isKnown = change?.endedAt === undefined && isDeepStrictEqual(seen.spent, run.childSpend ?? {})
  if (seen.spent === undefined || isKnown) return change
  return { ...change, childSpend: seen.spent }
}

function stateChange(run: TaskRun, seen: Observation, now: number): RunChange | undefined {
  const answered = {
    ...(run.away !== undefined && { away: null }),
    ...(run.missingSince !== undefined && seen.state !== 'lost' && { missingSince: null }),
    ...(seen.reason !== run.waitReason && seen.state !== 'lost' && { waitReason: seen.reason ?? null }),
  }
  const isNew = Object.keys(answered).length > 0
  switch (seen.state) {
    case 'unknown':
      return awayChange(run, seen, now)
    case 'lost':
      return run.missingSince === undefined ? { ...answered, missingSince: now } : isNew ? answered : undefined
    case 'queued':
      return isNew ? answered : undefined
    case 'running':
      if (run.state === 'running') return isNew ? answered : undefined
      return { state: 'running', startedAt: seen.startedAt ?? now, ...answered }
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return {
        state: seen.state,
        endedAt: seen.endedAt ?? now,
        ...(seen.startedAt !== undefined && { startedAt: seen.startedAt }),
        ...(seen.exitCode !== undefined && { exitCode: seen.exitCode }),
        ...(seen.failure && { failure: seen.failure }),
        ...(run.timedOutAt !== undefined && seen.state !== 'succeeded' && { state: 'failed', failure: timedOut }),
        ...answered,
      }
  }
}

/** Since when the machine that could tell about the job is away; other reasons for knowing nothing pass by themselves. */
function awayChange({ away }: TaskRun, { failure }: Observation, now: number): RunChange | undefined {
  if (failure?.code !== hostAwayCode || away?.message === failure.message) return undefined
  return { away: { since: away?.since ?? now, message: failure.message } }
}

/** Of a job that was stopped at its time limit, however its back end calls that. */
export const timedOut: Failure = {
  code: 'TimedOut',
  message: 'it ran longer than its timeoutSeconds and was stopped',
  retryable: false,
  source: 'quench',
}

/** A history line for a change, or none where it is of no interest to people. */
export function lineOf(name: string, change: RunChange): string | undefined {
  if (change.away) return `${name}: its host is away, ${change.away.message}`
  if (change.missingSince) return `${name}: its back end does not know the job`
  if (change.failure) return `${name}: ${change.failure.message}`
  return change.state && `${name} ${change.state}`
}
