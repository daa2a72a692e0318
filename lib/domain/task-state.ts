import { fencesOver } from './cancel/cancel-scope.ts'
import type { Dispatch } from './dispatch.ts'
import type { Task } from './graph/graph.ts'
import { isOfOlderDrive } from './redrive/older-drive.ts'
import { outcomeOf } from './settled.ts'
import type { Outcome, TaskRun } from './task-run.ts'
import { retryAt } from './turn/retry.ts'

/** What people see of a task; `cancelling` and `unconfirmed` are derived, the rest follows from `settled` and the run. */
export type ShownState = Outcome | 'pending' | 'submitting' | 'queued' | 'running' | 'cancelling' | 'unconfirmed'

/**
 * The state to show for a task. `run` is its current attempt, if it was ever claimed.
 *
 * Once settled it changes only by a redrive. A failed attempt that will be repeated is shown as `pending`, and so is a
 * reopened task.
 */
export function shownState(
  dispatch: Dispatch,
  task: Task,
  run: TaskRun | undefined,
  at: { now: number; confirmSeconds: number },
): ShownState {
  const outcome = outcomeOf(dispatch, task.id)
  if (outcome) return outcome
  const [oldest] = fencesOver(dispatch.fences, task.id)
  if (oldest && run?.live) return isOverdue(oldest, at) ? 'unconfirmed' : 'cancelling'
  if (oldest) return 'cancelling'
  if (!run || isOfOlderDrive(run, dispatch)) return 'pending'
  switch (run.state) {
    case 'released':
      return 'pending'
    case 'failed':
    case 'lost':
      return retryAt(task, run) === undefined ? 'failed' : 'pending'
    default:
      return run.state
  }
}

/** A job that is still live this long after its fence is `unconfirmed`: shown so, and still being stopped. */
export function isOverdue(fence: { readonly at: number }, at: { now: number; confirmSeconds: number }): boolean {
  return at.now >= fence.at + at.confirmSeconds * 1000
}
