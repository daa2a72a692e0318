import type { Dispatch } from '../dispatch.ts'
import type { Outcome, TaskRun } from '../task-run.ts'

/** A run that is over and done with: its task was reopened, and has not been claimed since. */
export function isOfOlderDrive({ live, redrive = 0 }: TaskRun, { redrives = 0 }: Pick<Dispatch, 'redrives'>): boolean {
  return !live && redrive < redrives
}

/** A run of a redrive that came after the dispatch was read. */
export function isOfNewerDrive({ redrive = 0 }: TaskRun, { redrives = 0 }: Pick<Dispatch, 'redrives'>): boolean {
  return redrive > redrives
}

/**
 * A run that says nothing about how its task was settled: reopened, the task was given up before it was claimed again. A job
 * that ran on while others were redriven has ended since.
 */
export function isBeforeEnd(
  run: TaskRun,
  dispatch: Pick<Dispatch, 'redrives' | 'drivenAt'>,
  outcome: Outcome,
): boolean {
  const isOlder = isOfOlderDrive(run, dispatch) && (run.endedAt ?? 0) <= (dispatch.drivenAt ?? 0)
  return outcome === 'cancelled' && isOlder
}
