import { describe, expect, test } from 'vitest'
import { isBeforeEnd, isOfNewerDrive, isOfOlderDrive } from '../../../lib/domain/redrive/older-drive.ts'
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

test.each([
  ['before any redrive', undefined, undefined, false],
  ['of the same drive', 1, 1, false],
  ['of the drive before', undefined, 1, false],
  ['of a redrive that the dispatch has not seen yet', 1, undefined, true],
])('a run %s is of a newer drive: %s, %s, %s', (_, redrive, redrives, expected) => {
  const run = aRun(redrive === undefined ? {} : { redrive })
  expect(isOfNewerDrive(run, redrives === undefined ? {} : { redrives })).toBe(expected)
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
