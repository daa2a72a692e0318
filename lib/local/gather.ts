export interface Gather<Item> {
  add(item: Item): void
  /** What was gathered is worked off before this resolves; what comes later is dropped. */
  close(): Promise<void>
}

/**
 * Collect what comes in for `waitMs`, then work it off in one go: what a queue with a batch window does on AWS.
 *
 * One batch at a time, in order. An error of `work` drops its batch: events are hints.
 */
export function gather<Item>(waitMs: number, work: (items: readonly Item[]) => Promise<void>): Gather<Item> {
  let items: Item[] = []
  let timer: NodeJS.Timeout | undefined
  let working = Promise.resolve()
  let isClosed = false

  const flush = () => {
    timer = undefined
    working = working
      .then(() => {
        // Taken when the work begins: what came in while the last batch was worked off goes along.
        const batch = items
        items = []
        return batch.length > 0 ? work(batch) : undefined
      })
      .catch(() => {})
  }
  return {
    add: (item) => {
      if (isClosed) return
      items.push(item)
      timer ??= setTimeout(flush, waitMs)
    },
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      flush()
      await working
    },
  }
}
