import type { RedriveAnswer } from '../../schema/api.ts'
import { listCounts, plural, printable } from './text.ts'

const tasksShown = 20

/** `3 tasks run again (2 cancelled, 1 skipped)`. */
export function renderReopened({ reopened, counts }: RedriveAnswer): string {
  return `${plural(reopened, 'task')} ${reopened === 1 ? 'runs' : 'run'} again (${listCounts(counts)})`
}

/** What a redrive would do: a line, what it would not wait for, and the tasks. */
export function renderRedrive(preview: RedriveAnswer): string[] {
  const { dispatchId, unconfirmed = 0, tasks = [] } = preview
  const shown = tasks
    .slice(0, tasksShown)
    .map(({ taskId, name, state }) => `  ${String(taskId).padStart(5)}  ${printable(name)}  ${state}`)
  return [
    `To redrive of dispatch ${dispatchId}: ${renderReopened(preview)}.`,
    ...(unconfirmed > 0
      ? [`${plural(unconfirmed, 'job')} may still run, not confirmed to have ended, beside the new attempts.`]
      : []),
    ...shown,
    ...(tasks.length > tasksShown ? [`         … and ${tasks.length - tasksShown} more`] : []),
  ]
}

export function renderNothingToRedrive({ dispatchId }: RedriveAnswer): string {
  return `Nothing to redrive in dispatch ${dispatchId}: every task has succeeded or has not ended yet.`
}
