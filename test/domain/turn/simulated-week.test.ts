import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JobPrice } from '../../../lib/domain/budget/price.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import { planTurn } from '../../../lib/domain/turn/plan-turn.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { aDispatch, aGraph, aRun, someTime } from '../../support/builders.ts'

const weekSeconds = 7 * 24 * 3600

/** A job of a week of work: when it starts, for how long it runs, and what it costs. */
interface Job {
  readonly startSecond: number
  readonly seconds: number
  readonly price: JobPrice
}

const cents = (max: number) => fc.integer({ min: 0, max }).map((n) => n / 100)
const job: fc.Arbitrary<Job> = fc.record({
  startSecond: fc.integer({ min: 0, max: weekSeconds - 1 }),
  seconds: fc.integer({ min: 1, max: weekSeconds }),
  price: fc.record({
    perSecondUsd: fc.integer({ min: 0, max: 300 }).map((n) => n / 1e6),
    minimumSeconds: fc.constantFrom(0, 60),
    commitUsd: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: cents(3000), weight: 1 }),
  }),
})

/** What the jobs cost up to a moment, counted without Quench. */
function trueSpend(jobs: readonly Job[], second: number): number {
  return jobs
    .filter(({ startSecond }) => startSecond <= second)
    .map(({ startSecond, seconds, price }) => {
      const ran = Math.max(price.minimumSeconds, Math.min(second - startSecond, seconds))
      return price.commitUsd + ran * price.perSecondUsd
    })
    .reduce((sum, one) => sum + one, 0)
}

function runOf({ startSecond, seconds }: Job, id: number, second: number): TaskRun | undefined {
  if (startSecond > second) return undefined
  const startedAt = someTime + startSecond * 1000
  const hasEnded = startSecond + seconds <= second
  return aRun({ id, startedAt, ...(hasEnded && { state: 'succeeded', endedAt: startedAt + seconds * 1000 }) })
}

test('in a week of random spend, nothing is stopped below its limit, and nothing runs for more than a turn above it', () => {
  const week = fc.record({ jobs: fc.array(job, { minLength: 1, maxLength: 30 }), limitUsd: cents(20_000) })
  fc.assert(
    fc.property(week, ({ jobs, limitUsd }) => {
      const graph = aGraph(jobs.map((_, id) => ({ options: { job: id } })))
      const policy = { ...defaultPolicy, priceOf: priceOfJob }
      let dispatch: Dispatch = aDispatch({ taskCount: jobs.length, budget: { limitUsd: limitUsd + 0.01 } })
      const limit = limitUsd + 0.01
      // A start is news, and makes a turn; so does an end.
      const news = jobs.flatMap(({ startSecond, seconds }) => [startSecond, startSecond + seconds])
      let before = 0
      for (let second = 0; second < weekSeconds; ) {
        const live = jobs.flatMap((one, id) => (isSettled(dispatch, id) ? [] : (runOf(one, id, second) ?? [])))
        const turn = planTurn({ dispatch, graph, live }, policy, someTime + second * 1000)
        const spent = trueSpend(jobs, second)
        expect(turn.spend.totalUsd).toBeCloseTo(spent, 6)
        if (turn.stop) {
          expect(spent, 'not below its limit').toBeGreaterThanOrEqual(limit - 1e-9)
          expect(before, 'not for more than a turn above it').toBeLessThan(limit + 1e-9)
          return
        }
        if (turn.finished) return
        expect(spent, 'a turn above the limit stops').toBeLessThan(limit + 1e-9)
        before = spent
        dispatch = { ...dispatch, ...turn.changes }
        const nextNews = Math.min(...news.filter((one) => one > second), weekSeconds)
        second = Math.min(nextNews, quietUntil(jobs, second, nextNews, limit) ?? second + turn.waitSeconds)
      }

      function priceOfJob({ options }: { options: object }): JobPrice | undefined {
        return jobs[Number((options as { job: number }).job)]?.price
      }
    }),
    { numRuns: 300 },
  )
})

function isSettled({ settled }: Dispatch, id: number): boolean {
  return (((settled[id >> 2] ?? 0) >> ((id & 3) * 2)) & 3) !== 0
}

/**
 * Until when the turns would find nothing but the clock moved: a minute before the limit is reached, or the next bit of
 * news. Undefined where that is so near that each turn is looked at.
 */
function quietUntil(jobs: readonly Job[], second: number, nextNews: number, limit: number): number | undefined {
  let [low, high] = [second, nextNews]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (trueSpend(jobs, middle) >= limit) high = middle
    else low = middle
  }
  return low - 60 > second ? low - 60 : undefined
}
