import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stableId } from '../../lib/app/stable-id.ts'
import { parseJobName } from '../../lib/domain/job-name.ts'

test('the same parts give the same id, in the form of a UUID of version 8, which a job name can carry', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (parts) => {
      const id = stableId(...parts)
      expect(stableId(...parts)).toBe(id)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(parseJobName(`quench-${id}-0-1`)).toBeDefined()
    }),
  )
})

test('parts do not run into each other', () => {
  const ids = [stableId('ab', 'c'), stableId('a', 'bc'), stableId('abc'), stableId('abc', ''), stableId('c', 'ab')]
  expect(new Set(ids).size).toBe(ids.length)
})
