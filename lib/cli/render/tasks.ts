import type { TaskView } from '../../schema/api.ts'
import { renderSpan } from './duration.ts'
import { type Paint, styleOf } from './paint.ts'
import { renderTable } from './table.ts'

/** A task of the dispatch that is shown, or of one inside it: then with a path of ids, `3/0`, and one of names. */
export type TaskRow = TaskView & { readonly path?: string }

interface TasksOptions {
  readonly paint: Paint
  /** Epoch milliseconds. */
  readonly now: number
  readonly columns?: number | undefined
}

const heading = ['ID', 'TASK', 'STATE', 'BACK END', 'ATTEMPT', 'DURATION']

/** A table of tasks; the last column appears where one of them has something to say about its end. */
export function renderTasks(tasks: readonly TaskRow[], { paint, now, columns }: TasksOptions): string[] {
  const notes = tasks.map(noteOf)
  const hasNotes = notes.some((note) => note !== '')
  const rows = tasks.map((task, index) => [
    keyOf(task),
    `${indentOf(task)}${task.name}`,
    { text: task.state, style: styleOf(task.state) },
    task.executor,
    task.attempt === 0 ? '' : String(task.attempt),
    renderSpan(task, now),
    ...(hasNotes ? [notes[index] ?? ''] : []),
  ])
  return renderTable([...heading, ...(hasNotes ? ['NOTE'] : [])], rows, { paint, columns })
}

/** Tells the rows of one table apart. */
export function keyOf({ path, taskId }: TaskRow): string {
  return path ?? String(taskId)
}

function indentOf(task: TaskRow): string {
  return '  '.repeat(keyOf(task).split('/').length - 1)
}

/** Why a task failed, waits, or nothing is known of it, and what its process left with; of a sublattice, the dispatch that is its job. */
export function noteOf({ failure, exitCode, childId, hostAway, waitReason }: TaskView): string {
  if (hostAway) return `host away: ${hostAway.message}`
  if (failure) return failure.message
  if (waitReason !== undefined) return `waiting: ${waitReason}`
  if (childId !== undefined) return `dispatch ${childId}`
  return exitCode === undefined || exitCode === 0 ? '' : `exit code ${exitCode}`
}
