import type { CancellationSummary, DispatchRow, DispatchState, DispatchView } from '../../schema/api.ts'
import { renderSpend } from './budget.ts'
import { renderSpan } from './duration.ts'
import { type Paint, styleOf } from './paint.ts'
import { renderTable } from './table.ts'
import { listCounts, printable } from './text.ts'

interface DispatchesOptions {
  readonly paint: Paint
  /** Epoch milliseconds. */
  readonly now: number
  readonly columns?: number | undefined
}

/** The table of `quench ls`. */
export function renderDispatches(rows: readonly DispatchRow[], { paint, now, columns }: DispatchesOptions): string[] {
  return renderTable(
    ['ID', 'NAME', 'STATE', 'SETTLED', 'CREATED', 'DURATION'],
    rows.map((row) => [
      row.dispatchId,
      row.name,
      { text: row.state, style: styleOf(row.state) },
      `${row.settledCount}/${row.taskCount}`,
      renderInstant(row.createdAt),
      lifetimeOf(row, now),
    ]),
    { paint, columns },
  )
}

/** What `quench show` says above the tasks. */
export function renderDispatch(dispatch: DispatchView, { paint, now }: DispatchesOptions): string[] {
  const tags = Object.entries(dispatch.tags).map(([key, value]) => `${key}=${value}`)
  const facts: readonly [string, string | undefined][] = [
    ['owner', dispatch.owner],
    ['parent', dispatch.parent && `task ${dispatch.parent.taskId} of dispatch ${dispatch.parent.dispatchId}`],
    ['tags', tags.join(', ')],
    ['created', renderInstant(dispatch.createdAt)],
    ['duration', lifetimeOf(dispatch, now)],
    ['redriven', redrivenOf(dispatch)],
    ['settled', `${dispatch.settledCount} of ${dispatch.taskCount} (${listCounts(dispatch.tasks)})`],
    ['spent', renderSpend(dispatch.spend)],
    ['failure', dispatch.failure && `${dispatch.failure.code}: ${dispatch.failure.message}`],
    ['result', dispatch.resultUri],
  ]
  const cancellations = dispatch.cancellations.map((cancellation) => renderCancellation(cancellation, paint))
  return [
    renderTitle(dispatch, paint),
    ...facts.filter(([, value]) => value).map(([name, value]) => `  ${name.padEnd(8)}  ${printable(value ?? '')}`),
    ...(cancellations.length > 0 ? ['', 'Cancellations', ...cancellations] : []),
  ]
}

function redrivenOf({ redrives, drivenAt }: DispatchView): string | undefined {
  if (redrives === undefined) return undefined
  return `${redrives === 1 ? 'once' : `${redrives} times`}, last ${renderInstant(drivenAt ?? '')}`
}

function renderCancellation({ at, scope, actor, source, reason, cancellationId }: CancellationSummary, paint: Paint) {
  const what = scope === 'dispatch' ? 'whole dispatch' : 'tasks'
  return `  ${renderInstant(at)}  ${what}, by ${printable(`${actor} (${source}): ${reason}`)}  ${paint('dim', cancellationId)}`
}

/** Name, id and state. */
export function renderTitle({ name, dispatchId, state }: DispatchRow, paint: Paint): string {
  return `${paint('bold', printable(name))}  ${dispatchId}  ${paint(styleOf(state), state)}`
}

/** From its creation to its end, or to `now`. */
export function lifetimeOf({ createdAt, endedAt }: DispatchRow, now: number): string {
  return renderSpan({ startedAt: createdAt, ...(endedAt !== undefined && { endedAt }) }, now)
}

export function hasEnded(state: DispatchState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled'
}

/** To the second: `2026-03-01T12:00:00Z`. */
function renderInstant(at: string): string {
  return at.replace(/\.\d+Z$/, 'Z')
}
