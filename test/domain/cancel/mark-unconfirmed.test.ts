import { expect, test } from 'vitest'
import { markUnconfirmed } from '../../../lib/domain/cancel/mark-unconfirmed.ts'
import { planTurn } from '../../../lib/domain/turn/plan-turn.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { aDispatch, aFence, aGraph, aRun, aScope, someTime } from '../../support/builders.ts'

const { confirmSeconds } = defaultPolicy
const after = (seconds: number) => ({ now: someTime + seconds * 1000, confirmSeconds })

test('a fence is marked when a job in its scope is overdue, and not before', () => {
  const { fences } = aDispatch({ fences: [aFence()] })
  expect(markUnconfirmed(fences, [aRun()], after(confirmSeconds - 1))).toBe(fences)
  expect(markUnconfirmed(fences, [aRun()], after(confirmSeconds))).toEqual({
    'fence-1': aFence({ unconfirmedAt: someTime + confirmSeconds * 1000 }),
  })
})

test('a fence that is marked keeps its first moment', () => {
  const { fences } = aDispatch({ fences: [aFence({ unconfirmedAt: someTime + 1 })] })
  expect(markUnconfirmed(fences, [aRun()], after(confirmSeconds))).toBe(fences)
})

test('a fence without a live job in its scope is not marked', () => {
  const { fences } = aDispatch({ taskCount: 2, fences: [aFence({ scope: aScope([1], 2) })] })
  expect(markUnconfirmed(fences, [aRun({ id: 0 })], after(confirmSeconds))).toBe(fences)
  expect(markUnconfirmed(fences, [], after(confirmSeconds))).toBe(fences)
})

test('the turn in which a job is overdue writes it down; the next one has nothing to write about it', () => {
  const turn = (unconfirmedAt?: number) => {
    const fence = aFence(unconfirmedAt === undefined ? {} : { unconfirmedAt })
    const dispatch = aDispatch({ fences: [fence], polledAt: someTime })
    return planTurn({ dispatch, graph: aGraph(), live: [aRun()] }, defaultPolicy, after(confirmSeconds).now)
  }
  expect(turn().changes.fences?.['fence-1']).toEqual(aFence({ unconfirmedAt: after(confirmSeconds).now }))
  expect(turn(someTime).changes).not.toHaveProperty('fences')
})

test('a job that ends in the very turn is confirmed, not unconfirmed', () => {
  const dispatch = aDispatch({ fences: [aFence()], polledAt: someTime })
  const live = [aRun({ state: 'cancelled' })]
  const { changes } = planTurn({ dispatch, graph: aGraph(), live }, defaultPolicy, after(confirmSeconds).now)
  expect(changes.fences?.['fence-1']?.unconfirmedAt).toBeUndefined()
})
