import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptyBits, hasBit, setBit } from '../../lib/domain/bits.ts'
import { aScope } from '../support/builders.ts'

test('a set of task ids holds exactly the ids that were put in, in one bit each', () => {
  const someIds = fc
    .integer({ min: 1, max: 200 })
    .chain((count) => fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat(count - 1))))
  fc.assert(
    fc.property(someIds, ([count, ids]) => {
      const bits = aScope(ids, count)
      expect(bits).toHaveLength(Math.ceil(count / 8))
      const held = Array.from({ length: count }, (_, id) => id).filter((id) => hasBit(bits, id))
      expect(held).toEqual(ids.toSorted((a, b) => a - b))
    }),
  )
})

test('an empty set holds nothing, nor does any set hold an id beyond its end', () => {
  expect(hasBit(emptyBits(8), 3)).toBe(false)
  expect(hasBit(aScope([7], 8), 8)).toBe(false)
})

test('setting a bit twice, or one beyond the end, changes nothing', () => {
  const bits = aScope([3], 8)
  setBit(bits, 3)
  setBit(bits, 8)
  expect([...bits]).toEqual([0b1000])
})
