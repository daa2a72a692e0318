import { describe, expect, test } from 'vitest'
import type { Budget } from '../../../lib/domain/budget/budget.ts'
import { checkBudget, exceededReason, warningLine } from '../../../lib/domain/budget/check-budget.ts'
import type { Spend } from '../../../lib/domain/budget/spend.ts'
import { usd } from '../../../lib/domain/budget/usd.ts'
import { someTime } from '../../support/builders.ts'

const aSpend = (changes: Partial<Spend> = {}): Spend => ({
  settled: {},
  running: {},
  committed: {},
  totalUsd: 0,
  unknownJobs: 0,
  usdPerSecond: 0,
  overshootUsd: 0,
  ...changes,
})
const budget: Budget = { limitUsd: 10, warnAtUsd: 8 }

describe('a budget', () => {
  test.each([
    [7.99, { isExceeded: false, isWarning: false }],
    [8, { isExceeded: false, isWarning: true }],
    [9.99, { isExceeded: false, isWarning: true }],
    [10, { isExceeded: true, isWarning: true }],
    [12, { isExceeded: true, isWarning: true }],
  ])('of 10 with a warning at 8, when %d are spent', (totalUsd, expected) => {
    expect(checkBudget(budget, aSpend({ totalUsd }), someTime)).toEqual(expected)
  })

  test('warns once', () => {
    expect(checkBudget({ ...budget, warnedAt: someTime }, aSpend({ totalUsd: 9 }), someTime).isWarning).toBe(false)
  })

  test('that is not there is never exceeded', () => {
    expect(checkBudget(undefined, aSpend({ totalUsd: 1e9, usdPerSecond: 1 }), someTime)).toEqual({
      isExceeded: false,
      isWarning: false,
    })
  })

  test.each([
    ['the warning first', budget, 4, 1000],
    ['then the limit', { ...budget, warnedAt: someTime }, 9, 250],
    ['the limit, where no warning is asked for', { limitUsd: 10 }, 4, 1500],
  ])('is looked at again when the next mark is reached: %s', (_, given, totalUsd, seconds) => {
    const { reachedAt } = checkBudget(given, aSpend({ totalUsd, usdPerSecond: 0.004 }), someTime)
    expect(reachedAt).toBeCloseTo(someTime + seconds * 1000, 3)
  })

  test('that nothing brings nearer is not looked at for its own sake', () => {
    expect(checkBudget(budget, aSpend({ totalUsd: 4 }), someTime)).not.toHaveProperty('reachedAt')
    expect(checkBudget(budget, aSpend({ totalUsd: 11, usdPerSecond: 1 }), someTime)).not.toHaveProperty('reachedAt')
  })
})

test('the reason has the figures, and says what is not in them', () => {
  expect(exceededReason(budget, aSpend({ totalUsd: 10.5, overshootUsd: 0.25 }))).toBe(
    'its budget of $10.00 is used up: about $10.50 spent, running and committed, and stopping may cost $0.2500 more',
  )
  expect(exceededReason(budget, aSpend({ totalUsd: 10.5, unknownJobs: 3 }))).toMatch(
    /more; the price of 3 jobs is not known and not in it$/,
  )
  expect(warningLine(budget, aSpend({ totalUsd: 8.2 }))).toBe('about $8.20 of the budget of $10.00 is used')
})

test.each([
  [0, '$0.00'],
  [0.00002, '$0.000020'],
  [0.00375, '$0.0037'],
  [0.5, '$0.5000'],
  [1, '$1.00'],
  [1234.567, '$1234.57'],
])('%d dollars are %s', (amount, text) => {
  expect(usd(amount)).toBe(text)
})
