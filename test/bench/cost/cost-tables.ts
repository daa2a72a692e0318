import { prices, pricesReadOn, pricesRegion, units, usdOf } from './prices.ts'
import { type Counted, noUsage, type Unit, type Usage } from './usage.ts'

const begin = '<!-- npm run cost writes from here -->'
const end = '<!-- to here -->'

/** The document with new tables between the two marks. */
export function withTables(document: string, counted: readonly Counted[]): string {
  const [before, , after] = partsOf(document)
  return `${before}${begin}\n\n${tables(counted)}\n\n${end}${after}`
}

/** What was counted, as the tables of the document say it. */
export function readTables(document: string): readonly Counted[] {
  const [, between] = partsOf(document)
  const rows = between.split('\n').filter((line) => line.startsWith('|'))
  const cellsOf = (row = '') =>
    row
      .split('|')
      .slice(2, -1)
      .map((cell) => cell.trim())
  return cellsOf(rows[0]).map((what, column) => {
    const amounts = units.map((unit): [Unit, number] => {
      const row = rows.find((line) => line.startsWith(`| ${prices[unit].name} |`))
      return [unit, Number(cellsOf(row)[column]?.replaceAll(',', ''))]
    })
    return { what, usage: { ...noUsage, ...Object.fromEntries(amounts) } }
  })
}

function partsOf(document: string): [string, string, string] {
  const [before, rest, ...more] = document.split(begin)
  const [between, after, ...others] = rest?.split(end) ?? []
  if (before === undefined || between === undefined || after === undefined || more.length + others.length > 0)
    throw new Error(`the document must have "${begin}" and "${end}" once each`)
  return [before, between, after]
}

/** Counted amounts, what they cost, and the prices. */
function tables(exact: readonly Counted[]): string {
  // Whole numbers, so that the costs follow from what is written.
  const counted = exact.map(({ what, usage }) => ({ what, usage: wholeOf(usage) }))
  const heading = ['', ...counted.map(({ what }) => what)]
  const amounts = units.map((unit) => [prices[unit].name, ...counted.map(({ usage }) => shown(usage[unit]))])
  const costs = units.map((unit) => [prices[unit].name, ...counted.map(({ usage }) => usd(usdOf(unit, usage[unit])))])
  const totals = counted.map(
    ({ usage }) => `**${usd(units.reduce((sum, unit) => sum + usdOf(unit, usage[unit]), 0))}**`,
  )
  const priceRows = units.map((unit) => {
    const { name, usd: price, per, page, readIn = page } = prices[unit]
    return [name, String(price), per.toLocaleString('en-US'), `[AWS](${page})`, `[${new URL(readIn).host}](${readIn})`]
  })
  return [
    'Counted:',
    table(heading, amounts),
    'In US dollars:',
    table(heading, [...costs, ['**in all**', ...totals]]),
    `Prices (${pricesRegion}, on demand, without free tiers; read on ${pricesReadOn}):`,
    table(['', 'USD', 'for', 'page', 'as read in'], priceRows),
  ].join('\n\n')
}

function wholeOf(usage: Usage): Usage {
  const amounts = units.map((unit) => [unit, Math.ceil(usage[unit])])
  return Object.fromEntries(amounts)
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = heading.map((_, column) => (column === 0 ? '---' : '---:'))
  return [line(heading), line(rule), ...rows.map(line)].join('\n')
}

const shown = (amount: number) => amount.toLocaleString('en-US')
const usd = (amount: number) => amount.toFixed(5)
