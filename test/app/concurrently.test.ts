import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concurrently } from '../../lib/app/concurrently.ts'

test('everything is worked on once, as many at a time as may be and no more, and the results keep the order', async () => {
  const scenario = fc.record({
    limit: fc.integer({ min: 1, max: 6 }),
    pauses: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 15 }),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ limit, pauses }) => {
      let busy = 0
      let busiest = 0
      const results = await concurrently(limit, pauses, async (pause, index) => {
        busy += 1
        busiest = Math.max(busiest, busy)
        for (let n = 0; n < pause; n++) await setImmediate()
        busy -= 1
        return `${index}: ${pause}`
      })
      expect(results).toEqual(pauses.map((pause, index) => `${index}: ${pause}`))
      expect(busiest).toBe(Math.min(limit, pauses.length))
    }),
  )
})

test('the first error is thrown', async () => {
  const work = async (n: number) => {
    if (n === 2) throw new Error('the second')
    return n
  }
  await expect(concurrently(2, [1, 2, 3], work)).rejects.toThrow('the second')
})
