import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { readTables, withTables } from './cost-tables.ts'
import { countFanOut } from './count.ts'
import { units } from './prices.ts'

const document = await readFile(new URL('../../../docs/cost.md', import.meta.url), 'utf8')

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  vi.useRealTimers()
})

describe('docs/cost.md', () => {
  it('was written from what was counted, at the prices that we know', () => {
    expect(withTables(document, readTables(document))).toBe(document)
  })

  it('is about what a dispatch of ten tasks uses now', async () => {
    // Where it is not, the code has changed: `npm run cost` counts anew.
    const [written] = readTables(document)
    const counted = await countFanOut({ tasks: 10, jobSeconds: 60 })
    expect(written?.what).toBe('10 tasks')
    for (const unit of units) {
      const ratio = counted[unit] / (written?.usage[unit] ?? 0)
      expect.soft(ratio, unit).toBeGreaterThan(0.75)
      expect.soft(ratio, unit).toBeLessThan(1.25)
    }
  })
})

describe('the tables', () => {
  it('go between the marks, and nothing else changes', () => {
    const text = 'before\n<!-- npm run cost writes from here -->\nold\n<!-- to here -->\nafter\n'
    const usage = { ...Object.fromEntries(units.map((unit, n) => [unit, 1000 * (n + 1)])) } as never
    const written = withTables(text, [{ what: 'it', usage }])
    expect(written).toMatch(/^before\n<!-- npm run cost writes from here -->\n\nCounted:.*<!-- to here -->\nafter\n$/s)
    expect(written).not.toContain('old')
    expect(readTables(written)).toEqual([{ what: 'it', usage }])
  })

  it('need both marks, once each', () => {
    expect(() => withTables('<!-- to here -->', [])).toThrow('once each')
    expect(() => withTables(document + document, [])).toThrow('once each')
  })
})
