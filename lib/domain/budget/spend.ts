import { type Graph, sublattice } from '../graph/graph.ts'
import type { TaskRun } from '../task-run.ts'
import { type Amounts, addAmounts, nothingSpent, totalOf } from './amounts.ts'
import type { JobPrice, PriceOf } from './price.ts'

/** What a dispatch has spent and is spending. */
export interface Spend {
  /** What has ended: settled tasks, and attempts that were followed by others. */
  readonly settled: Amounts
  /** What runs, for the time that it has run. */
  readonly running: Amounts
  /** What is owed for jobs that have not ended, however they end, unless they are cancelled before they run. */
  readonly committed: Amounts
  /** All three. */
  readonly totalUsd: number
  readonly unknownJobs: number
  readonly usdPerSecond: number
  /** What stopping everything now will still cost, by estimate. */
  readonly overshootUsd: number
}

/** From the decision to stop to the end of the jobs: a grace of 30 s, and a poll that sees the end. */
const stopSeconds = 60

/** What the live attempts, and what was settled before, come to. */
export function measureSpend(
  { settled = nothingSpent, graph, live }: { settled: Amounts | undefined; graph: Graph; live: readonly TaskRun[] },
  priceOf: PriceOf,
  now: number,
): Spend {
  const parts = { settled, running: nothingSpent, committed: nothingSpent }
  let usdPerSecond = 0
  for (const run of live) {
    const price = priceOfRun(run, graph, priceOf)
    const { earlier, time, commitment } = costsOf(run, price, now)
    parts.settled = addAmounts(parts.settled, earlier)
    if (hasEnded(run)) parts.settled = addAmounts(addAmounts(parts.settled, time), commitment)
    else {
      parts.running = addAmounts(parts.running, time)
      parts.committed = addAmounts(parts.committed, commitment)
      if (run.startedAt !== undefined) usdPerSecond += price?.perSecondUsd ?? 0
    }
  }
  const total = totalOf(Object.values(parts).reduce(addAmounts))
  return {
    ...parts,
    totalUsd: total.usd,
    unknownJobs: total.unknownJobs,
    usdPerSecond,
    overshootUsd: usdPerSecond * stopSeconds,
  }
}

/** All that a task has cost, its earlier attempts included, as of `now` or of its end. */
export function spentOn(run: TaskRun, graph: Graph, priceOf: PriceOf, now: number): Amounts {
  const { earlier, time, commitment } = costsOf(run, priceOfRun(run, graph, priceOf), now)
  return addAmounts(addAmounts(earlier, time), commitment)
}

interface Costs {
  /** Of the attempts before this one. */
  readonly earlier: Amounts
  /** Of the time that this one has run; of a child, what it says itself. */
  readonly time: Amounts
  readonly commitment: Amounts
}

function costsOf(run: TaskRun, price: JobPrice | undefined, now: number): Costs {
  const earlier = run.earlierSpend ?? nothingSpent
  const none = { earlier, time: nothingSpent, commitment: nothingSpent }
  // Without a handle there is no job that we know of.
  if (!run.handle) return none
  if (run.executor === sublattice) return { ...none, time: run.childSpend ?? nothingSpent }
  const of = (usd: number, unknownJobs = 0): Amounts => ({ [run.executor]: { usd, unknownJobs } })
  if (!price) return { ...none, time: of(0, 1) }
  const isRefunded = run.state === 'cancelled' && run.startedAt === undefined
  return {
    earlier,
    time: price.perSecondUsd === 0 ? nothingSpent : of(price.perSecondUsd * billedSeconds(run, price, now)),
    commitment: price.commitUsd === 0 || isRefunded ? nothingSpent : of(price.commitUsd),
  }
}

function billedSeconds({ startedAt, endedAt }: TaskRun, { minimumSeconds }: JobPrice, now: number): number {
  if (startedAt === undefined) return 0
  return Math.max(minimumSeconds, ((endedAt ?? now) - startedAt) / 1000)
}

function priceOfRun({ id }: TaskRun, { tasks }: Graph, priceOf: PriceOf): JobPrice | undefined {
  const task = tasks[id]
  return task && priceOf(task)
}

function hasEnded({ state }: TaskRun): boolean {
  return state !== 'queued' && state !== 'running'
}
