/** Runs work in lanes: what waits in one never holds up another. */
export interface Lanes {
  /** Run `work` when its lane has room; resolves with its end. It must not throw. */
  run(lane: string, work: () => Promise<void>): Promise<void>
}

export function createLanes(limit: number): Lanes {
  const lanes = new Map<string, { running: number; readonly waiting: (() => void)[] }>()
  return {
    run: async (name, work) => {
      const lane = lanes.get(name) ?? { running: 0, waiting: [] }
      lanes.set(name, lane)
      if (lane.running >= limit) await new Promise<void>((resolve) => lane.waiting.push(resolve))
      else lane.running += 1
      try {
        await work()
      } finally {
        // Whoever waits takes over the place.
        const next = lane.waiting.shift()
        if (next) next()
        else if (--lane.running === 0) lanes.delete(name)
      }
    },
  }
}
