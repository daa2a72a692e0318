import { createPaint } from '../../lib/cli/render/paint.ts'
import { renderTable } from '../../lib/cli/render/table.ts'

/** What a part of the bench has measured. */
export interface Report {
  readonly title: string
  readonly heading: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
  /** Promises that do not hold, one sentence each: counts only, never times. */
  readonly broken: readonly string[]
}

/** The report as a table with numbers to the right. */
export function printReport({ title, heading, rows, broken }: Report): void {
  const widths = heading.map((text, column) => Math.max(text.length, ...rows.map((row) => shown(row[column]).length)))
  const aligned = (cell: string | number | undefined, column: number) =>
    typeof cell === 'number' ? shown(cell).padStart(widths[column] ?? 0) : shown(cell)
  const headings = heading.map((text, column) =>
    typeof rows[0]?.[column] === 'number' ? text.padStart(widths[column] ?? 0) : text,
  )
  const lines = renderTable(
    headings,
    rows.map((row) => row.map(aligned)),
    { paint: createPaint(process.stdout) },
  )
  process.stdout.write(`\n${title}\n\n${lines.join('\n')}\n`)
  for (const sentence of broken) process.stdout.write(`BROKEN: ${sentence}\n`)
}

/** One line about how far the bench is, on stderr. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** To one digit after the point. */
export function round(value: number): number {
  return Math.round(value * 10) / 10
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function shown(cell: string | number | undefined): string {
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : (cell ?? '')
}
