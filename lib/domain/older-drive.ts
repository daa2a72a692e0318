import type { Dispatch, TaskRun } from './dispatch.ts'

/** A run that is over and done with: its task was reopened, and has not been claimed since. */
export function isOfOlderDrive({ live, redrive = 0 }: TaskRun, { redrives = 0 }: Pick<Dispatch, 'redrives'>): boolean {
  return !live && redrive < redrives
}
