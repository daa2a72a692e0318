import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { closeRegions } from './bench-region.ts'
import { measureBulkCalls } from './bulk-calls.ts'
import { measureBundles } from './bundles.ts'
import { measureCancelBesideHanging } from './cancel-beside-hanging.ts'
import { measureCancelCalls } from './cancel-calls.ts'
import { measureCancelLatency } from './cancel-latency.ts'
import { printReport, type Report } from './report.ts'
import { measureTaskOverhead } from './task-overhead.ts'

/**
 * The bench: what a task costs, how fast a cancel is, and how many calls it makes.
 *
 * Usage: `npm run bench -- [--only a,b,c] [--out FILE]`.
 * Times are for reading; they depend on the machine. Counts are promises: one that does not hold makes it exit 1.
 */
const parts: Readonly<Record<string, () => Promise<Report>>> = {
  a: measureTaskOverhead,
  b: measureCancelLatency,
  c: measureCancelCalls,
  d: measureBulkCalls,
  e: measureBundles,
  f: measureCancelBesideHanging,
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(parts).join() },
    out: { type: 'string', default: 'bench-results.json' },
  },
})
const wanted = values.only.split(',')
const unknown = wanted.filter((name) => !parts[name])
if (unknown.length > 0) {
  process.stderr.write(`there is no part ${unknown.join(', ')}: choose from ${Object.keys(parts).join(', ')}\n`)
  process.exit(2)
}

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => void closeRegions().finally(() => process.exit(exitCode)))

const reports: Record<string, Report> = {}
for (const name of wanted) {
  const report = await parts[name]?.()
  if (!report) continue
  reports[name] = report
  printReport(report)
}
const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version }
await writeFile(values.out, `${JSON.stringify({ at: new Date().toISOString(), machine, reports }, undefined, 2)}\n`)
process.stdout.write(`\nWritten to ${values.out}.\n`)
if (Object.values(reports).some(({ broken }) => broken.length > 0)) process.exitCode = 1
