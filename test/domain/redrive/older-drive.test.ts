import { describe, expect, test } from 'vitest'
import { isBeforeEnd, isOfOlderDrive } from '../../../lib/domain/redrive/older-drive.ts'
import { aRun, someTime } from '../../support/builders.ts'

test.each([
  ['a run in a dispatch that was never redriven', {}, undefined, false],
  ['a run of the drive before', {}, 1, true],
  ['a run of this drive', { redrive: 1 }, 1, false],
  ['a run that is live', { live: true }, 1, false],
])('%s', (_, run, redrives, expected) => {
  const dispatch = redrives === undefined ? {} : { redrives }
  expect(isOfOlderDrive(aRun({ live: false, ...run }), dispatch)).toBe(expected)
})

describe('a run says nothing about how its task was settled', () => {
  const dispatch = { redrives: 1, drivenAt: someTime }
  const old = (endedAt?: number) => aRun({ live: false, ...(endedAt !== undefined && { endedAt }) })

  test.each([
    ['when it ended before the redrive', old(someTime - 1), 'cancelled', true],
    ['when nobody knows its end', old(), 'cancelled', true],
    ['but it does when it ran on through the redrive', old(someTime + 1), 'cancelled', false],
    ['but it does when the task was not given up', old(someTime - 1), 'failed', false],
  ] as const)('%s', (_, run, outcome, expected) => {
    expect(isBeforeEnd(run, dispatch, outcome)).toBe(expected)
  })

  test('only where there was a redrive', () => {
    expect(isBeforeEnd(old(), {}, 'cancelled')).toBe(false)
  })
})
