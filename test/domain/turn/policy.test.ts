import { expect, test } from 'vitest'
import { defaultPolicy as policy } from '../../../lib/domain/turn/policy.ts'

test('a lease is longer than any call in flight, and is looked at more than once', () => {
  expect(policy.leaseSeconds).toBe(300)
  expect(policy.recoverSeconds).toBeLessThan(policy.leaseSeconds / 2)
})

test('a cancellation is watched more closely than work, and has time to settle before it is unconfirmed', () => {
  expect(policy.cancelPollSeconds).toBeLessThan(policy.pollSeconds)
  expect(policy.settleSeconds).toBeLessThan(policy.confirmSeconds)
})
