import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'vitest'
import { progress } from '../report.ts'
import { withTables } from './cost-tables.ts'
import { countCancel, countFanOut } from './count.ts'
import type { Usage } from './usage.ts'

const document = new URL('../../../docs/cost.md', import.meta.url)

const minute = 60
const counts: Readonly<Record<string, () => Promise<Usage>>> = {
  '10 tasks': () => countFanOut({ tasks: 10, jobSeconds: minute }),
  '1,000 tasks': () => countFanOut({ tasks: 1000, jobSeconds: minute }),
  '10,000 tasks': () => countFanOut({ tasks: 10_000, jobSeconds: minute }),
  '1,000 tasks of an hour': () => countFanOut({ tasks: 1000, jobSeconds: 60 * minute }),
  'cancel of 10,000, 100 live': () => countCancel({ tasks: 10_000, live: 100 }),
}

/** `npm run cost`: counts what dispatches use, and writes it with its price into `docs/cost.md`. Takes some minutes. */
test('the tables of docs/cost.md are counted anew', async () => {
  const counted: { what: string; usage: Usage }[] = []
  for (const [what, count] of Object.entries(counts)) {
    const beganAt = performance.now()
    const cpu = process.cpuUsage()
    counted.push({ what, usage: await count() })
    const { user, system } = process.cpuUsage(cpu)
    const seconds = Math.round((performance.now() - beganAt) / 1000)
    // Everything is in this process, the database included: what the assumed GB-seconds may be held against.
    progress(`${what}: ${seconds} s, ${Math.round((user + system) / 1e6)} s of CPU, database and all`)
  }
  const text = withTables(await readFile(document, 'utf8'), counted)
  await writeFile(document, text)
  progress(text)
})
