import { setTimeout as sleep } from 'node:timers/promises'

const firstMs = 2
const longestMs = 320

/** Pauses that get longer, between two looks at something that takes as long as it takes. */
export function createPauses(): { next(): Promise<void> } {
  let pauseMs = firstMs
  return {
    next: async () => {
      await sleep(pauseMs)
      pauseMs = Math.min(2 * pauseMs, longestMs)
    },
  }
}
