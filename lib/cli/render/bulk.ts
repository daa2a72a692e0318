import type { BulkCancelAnswer, BulkCancellationView, BulkItemView } from '../../schema/bulk.ts'
import { lifetimeOf } from './dispatches.ts'
import { type Paint, styleOf } from './paint.ts'
import { renderTable } from './table.ts'
import { plural, printable } from './text.ts'

interface ManyOptions {
  readonly paint: Paint
  readonly screen?: { readonly columns: number }
}

export interface Progress extends Pick<BulkCancellationView, 'total' | 'done' | 'failed'> {
  readonly confirmed: number
  readonly unconfirmed: number
}

/** What a selector means: how many, and which of them. */
export function renderMany({ where, count, dispatches }: BulkCancelAnswer, options: ManyOptions): string[] {
  if (count === 0) return [`Nothing to cancel: no open dispatch matches ${printable(where)}.`]
  const now = Date.now()
  const rows = dispatches.map((row) => [
    row.dispatchId,
    row.name,
    row.owner,
    { text: row.state, style: styleOf(row.state) },
    `${row.settledCount}/${row.taskCount}`,
    lifetimeOf(row, now),
  ])
  const { paint, screen } = options
  const table = renderTable(['ID', 'NAME', 'OWNER', 'STATE', 'SETTLED', 'AGE'], rows, {
    paint,
    columns: screen?.columns,
  })
  const more = count > dispatches.length ? [`and ${count - dispatches.length} more`] : []
  return [...table, ...more, `${plural(count, 'dispatch', 'dispatches')} to cancel: ${printable(where)}`]
}

export function renderManyAnswer({ count, bulkId }: BulkCancelAnswer, { wait }: { readonly wait: boolean }): string {
  const line = `Cancelling ${plural(count, 'dispatch', 'dispatches')}.`
  return wait ? line : `${line}\n\n  quench cancellations ${bulkId}`
}

export function renderProgress({ total, done, failed, confirmed, unconfirmed }: Progress): string {
  return `cancelled ${done} of ${total}  failed ${failed}  confirmed ${confirmed}  unconfirmed ${unconfirmed}`
}

/** The last words of `cancel --where --wait`. */
export function renderBulkVerdict(progress: Progress, failed: readonly BulkItemView[], paint: Paint): string[] {
  const lines = [
    renderProgress(progress),
    ...failed.map(({ dispatchId, error }) => paint('red', printable(`${dispatchId}: ${error?.message}`))),
  ]
  if (progress.unconfirmed > 0)
    return [...lines, paint('red', 'Some jobs are not confirmed to have ended. Quench goes on trying.')]
  if (progress.failed > 0) return [...lines, paint('red', 'Some dispatches were not cancelled.')]
  return [...lines, paint('green', 'Every job is confirmed to have ended.')]
}

/** `quench cancellations`: how it stands, and what became of each dispatch. */
export function renderBulk(view: BulkCancellationView, items: readonly BulkItemView[], options: ManyOptions): string[] {
  const { paint, screen } = options
  const { bulkId, where, actor, source, reason, at, total, done, failed } = view
  const rows = items.map((item) => [
    item.dispatchId,
    { text: item.outcome, style: item.outcome === 'failed' ? ('red' as const) : ('dim' as const) },
    item.state ? { text: item.state, style: styleOf(item.state) } : '',
    item.error?.message ?? foundBy(item),
  ])
  return [
    `${paint('bold', bulkId)}  ${view.state}`,
    `  where     ${printable(where)}`,
    `  asked     ${at.replace(/\.\d+Z$/, 'Z')} by ${printable(`${actor} (${source}): ${reason}`)}`,
    `  progress  ${done} of ${total} cancelled, ${failed} failed`,
    '',
    ...renderTable(['DISPATCH', 'CANCEL', 'STATE', 'FOUND'], rows, { paint, columns: screen?.columns }),
  ]
}

function foundBy({ counts }: BulkItemView): string {
  if (!counts) return ''
  const { stopping, abandoned, finished } = counts
  return `${stopping} stopping, ${abandoned} abandoned, ${finished} finished`
}
