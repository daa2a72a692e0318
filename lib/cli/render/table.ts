import type { Paint, Style } from './paint.ts'
import { printable } from './text.ts'

export type Cell = string | { readonly text: string; readonly style: Style }

interface TableOptions {
  readonly paint: Paint
  /** Width of the terminal. The widest column gives way to it. */
  readonly columns?: number | undefined
}

const gap = '  '
const narrowestColumn = 8

/** Lines of a table under a dim heading. */
export function renderTable(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  { paint, columns = Number.POSITIVE_INFINITY }: TableOptions,
): string[] {
  const all = [heading.map((text) => ({ text, style: 'dim' as const })), ...rows.map((row) => row.map(toCell))]
  const widths = fit(
    heading.map((_, column) => Math.max(...all.map((row) => row[column]?.text.length ?? 0))),
    columns,
  )
  return all.map((row) => {
    const cells = row.map(({ text, style }, column) => {
      const padded = cut(text, widths[column] ?? 0).padEnd(column === row.length - 1 ? 0 : (widths[column] ?? 0))
      return style === undefined ? padded : paint(style, padded)
    })
    return cells.join(gap).trimEnd()
  })
}

function toCell(cell: Cell): { text: string; style?: Style } {
  return typeof cell === 'string' ? { text: printable(cell) } : { text: printable(cell.text), style: cell.style }
}

function fit(widths: readonly number[], columns: number): number[] {
  const excess = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - columns
  if (excess <= 0) return [...widths]
  const widest = widths.indexOf(Math.max(...widths))
  return widths.map((width, column) => (column === widest ? Math.max(narrowestColumn, width - excess) : width))
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
