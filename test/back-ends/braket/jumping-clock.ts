import { setImmediate as afterAll } from 'node:timers/promises'
import type { Clock } from '../../../lib/back-ends/pace.ts'

/** A clock that stands still while anything goes on, and then jumps to the end of the sleep. */
export function aJumpingClock(): Clock & { readonly slept: readonly number[]; advance(ms: number): void } {
  let now = 0
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      await afterAll()
      slept.push(ms)
      now += ms
    },
    advance: (ms) => {
      now += ms
    },
  }
}
