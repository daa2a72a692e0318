import type { Task } from '../graph/graph.ts'
import type { TaskRun } from '../task-run.ts'

/** Submissions of one task when the back end loses them: the first and two more. */
const lostAttempts = 3
const firstDelaySeconds = 2
const longestDelaySeconds = 60

/**
 * When the attempt that has just ended may be followed by another, in epoch milliseconds; undefined when it was the
 * last one.
 *
 * An attempt that the back end lost is repeated up to three times in all; a task's own failure only as often as its
 * `retry` says. Delays double from 2 s to 60 s. A redrive counts anew.
 */
export function retryAt(task: Task, run: TaskRun): number | undefined {
  if (run.state !== 'failed' && run.state !== 'lost') return undefined
  const asked = task.retry?.attempts ?? 1
  const isLost = run.state === 'lost' || run.failure?.retryable === true
  const attempts = isLost ? Math.max(asked, lostAttempts) : asked
  const made = run.attempt - (run.firstAttempt ?? 1) + 1
  if (made >= attempts) return undefined
  const delaySeconds = Math.min(longestDelaySeconds, firstDelaySeconds * 2 ** (made - 1))
  return (run.endedAt ?? run.claimedAt) + delaySeconds * 1000
}
