import { describe, expect, test } from 'vitest'
import { createPace, msToToken, refill, secondsToCall } from '../../lib/back-ends/pace.ts'
import { aJumpingClock } from './braket/jumping-clock.ts'

const quota = { perSecond: 2, burst: 20 }

describe('a bucket', () => {
  test.each([
    ['fills with the time', { tokens: 0, at: 0 }, 3000, 6],
    ['holds no more than the burst', { tokens: 19, at: 0 }, 60_000, 20],
    ['keeps what it has while no time passes', { tokens: 3, at: 500 }, 500, 3],
  ])('%s', (_, bucket, now, tokens) => {
    expect(refill(bucket, quota, now)).toEqual({ tokens, at: now })
  })

  test.each([
    [1, 0],
    [0.5, 250],
    [0, 500],
  ])('with %s tokens has a whole one after %s ms', (tokens, ms) => {
    expect(msToToken({ tokens, at: 0 }, quota)).toBe(ms)
  })
})

test.each([
  [0, 0],
  [20, 0],
  [21, 0.5],
  [50, 15],
])('%s calls take %s seconds', (count, seconds) => {
  expect(secondsToCall(count, quota)).toBe(seconds)
})

describe('a pace', () => {
  test('lets the burst go at once, and the rest at the rate', async () => {
    const clock = aJumpingClock()
    const pace = createPace(quota, clock)
    const at: number[] = []
    await Promise.all(Array.from({ length: 50 }, () => pace.turn().then(() => at.push(clock.now()))))
    expect(at.filter((ms) => ms === 0)).toHaveLength(20)
    expect(at.slice(20)).toEqual(Array.from({ length: 30 }, (_, n) => 500 * (n + 1)))
    expect(clock.slept.every((ms) => ms === 500)).toBe(true)
  })

  test('gives the next turn to the heaviest, and equals their order', async () => {
    const pace = createPace({ perSecond: 1, burst: 1 }, aJumpingClock())
    const order: string[] = []
    const weights: [string, number][] = [
      ['cheap', 1],
      ['unknown', Number.POSITIVE_INFINITY],
      ['dear', 10],
      ['dear too', 10],
      ['unknown too', Number.POSITIVE_INFINITY],
      ['free', 0],
    ]
    await Promise.all(weights.map(([name, weight]) => pace.turn(weight).then(() => order.push(name))))
    expect(order).toEqual(['unknown', 'unknown too', 'dear', 'dear too', 'cheap', 'free'])
  })

  test('has its burst back after a rest', async () => {
    const clock = aJumpingClock()
    const pace = createPace(quota, clock)
    const many = () => Promise.all(Array.from({ length: 20 }, () => pace.turn()))
    await many()
    clock.advance(10_000)
    await many()
    expect(clock.slept).toEqual([])
  })

  test('runs on the real clock by default', async () => {
    const pace = createPace({ perSecond: 100, burst: 1 })
    const began = performance.now()
    await Promise.all([pace.turn(), pace.turn(), pace.turn()])
    expect(performance.now() - began).toBeGreaterThanOrEqual(19)
  })
})
