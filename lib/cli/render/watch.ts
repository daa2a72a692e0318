import type { DispatchView, TaskState } from '../../schema/api.ts'
import { lifetimeOf, renderTitle } from './dispatches.ts'
import { renderSpan } from './duration.ts'
import { type Paint, styleOf } from './paint.ts'
import { keyOf, noteOf, renderTasks, type TaskRow } from './tasks.ts'
import { listCounts, plural, printable } from './text.ts'

/** A dispatch and its tasks at one moment. */
export interface Snapshot {
  readonly dispatch: DispatchView
  /** All of them, in id order; those of a dispatch inside follow the task that it is. */
  readonly tasks: readonly TaskRow[]
}

interface FrameOptions {
  readonly paint: Paint
  /** Epoch milliseconds. */
  readonly now: number
  readonly columns: number
  readonly rows: number
}

/** Title, bar, blank line, heading, the line about hidden tasks, and the cursor's. */
const linesAroundTasks = 6

/** What `quench watch` draws on a terminal: as many tasks as fit, those that need attention first. */
export function renderFrame({ dispatch, tasks }: Snapshot, { paint, now, columns, rows }: FrameOptions): string[] {
  const shown = chooseTasks(tasks, Math.max(1, rows - linesAroundTasks))
  const hidden = countStates(tasks.filter((task) => !shown.includes(task)))
  return [
    `${renderTitle(dispatch, paint)}  ${lifetimeOf(dispatch, now)}`,
    `${renderBar(dispatch.settledCount, dispatch.taskCount)} settled  ${listCounts(dispatch.tasks)}`,
    '',
    ...renderTasks(shown, { paint, now, columns }),
    ...(shown.length < tasks.length ? [paint('dim', `… and ${moreOf(hidden)}`)] : []),
  ]
}

const barCharacters = 24

function renderBar(done: number, total: number): string {
  const filled = total === 0 ? barCharacters : Math.floor((barCharacters * done) / total)
  return `${'█'.repeat(filled)}${'░'.repeat(barCharacters - filled)} ${done}/${total}`
}

/** Lower comes first when not all tasks fit. */
const urgency: Readonly<Record<TaskState, number>> = {
  unconfirmed: 0,
  cancelling: 1,
  failed: 2,
  running: 3,
  queued: 4,
  submitting: 4,
  cancelled: 5,
  succeeded: 6,
  skipped: 7,
  pending: 8,
}

/** At most `capacity` tasks, in their order; among equals the one that ended last. */
function chooseTasks(tasks: readonly TaskRow[], capacity: number): readonly TaskRow[] {
  if (tasks.length <= capacity) return tasks
  const chosen = tasks
    .toSorted((a, b) => urgency[a.state] - urgency[b.state] || (b.endedAt ?? '').localeCompare(a.endedAt ?? ''))
    .slice(0, capacity)
  return tasks.filter((task) => chosen.includes(task))
}

function countStates(tasks: readonly TaskRow[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { state } of tasks) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

/** `3 more succeeded, 40 more pending`. */
function moreOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([state, count]) => `${count} more ${state}`)
    .join(', ')
}

/** The tasks whose state or attempt is not what it was; a task never seen before was pending. */
export function changedTasks(before: readonly TaskRow[], after: readonly TaskRow[]): readonly TaskRow[] {
  const earlier = new Map(before.map((task) => [keyOf(task), task]))
  return after.filter((task) => {
    const { state, attempt } = earlier.get(keyOf(task)) ?? { state: 'pending', attempt: 0 }
    return state !== task.state || attempt !== task.attempt
  })
}

/** One line about a task that has changed, for logs and pipes. */
export function renderChange(task: TaskRow, { paint, now }: Pick<FrameOptions, 'paint' | 'now'>): string {
  const facts = [
    task.executor,
    task.attempt > 1 ? `attempt ${task.attempt}` : '',
    task.endedAt === undefined ? '' : renderSpan(task, now),
    noteOf(task),
  ]
  const known = facts.filter((fact) => fact !== '').map(printable)
  return `${new Date(now).toISOString()}  ${task.name}  ${paint(styleOf(task.state), task.state)}  (${known.join(', ')})`
}

const failuresShown = 10

/** How it ended, and what made it fail. */
export function renderEnd(
  { dispatch, tasks }: Snapshot,
  { paint, now }: Pick<FrameOptions, 'paint' | 'now'>,
): string[] {
  const failed = tasks.filter(({ state }) => state === 'failed')
  const lines = failed.slice(0, failuresShown).map((task) => `  ${task.name}: ${printable(noteOf(task) || 'failed')}`)
  if (failed.length > failuresShown) lines.push(`  … and ${plural(failed.length - failuresShown, 'more failed task')}`)
  const state = paint(styleOf(dispatch.state), dispatch.state)
  return [
    `${printable(dispatch.name)} ${state} after ${lifetimeOf(dispatch, now)}: ${listCounts(dispatch.tasks)}`,
    ...lines,
  ]
}
