import type { PriceOf } from '../domain/budget/price.ts'
import type { Policy } from '../domain/turn/policy.ts'
import type { BackEnd } from './back-end.ts'
import { batch } from './batch/back-end.ts'
import { braket } from './braket/back-end.ts'
import { braketJob } from './braket-job/back-end.ts'
import type { JobNews } from './executor.ts'
import type { Prices } from './prices.ts'
import { slurm } from './slurm/back-end.ts'
import { ssh } from './ssh/back-end.ts'
import { sublattice } from './sublattice/back-end.ts'

/** All back ends. A new one is a folder and a line here. */
export const backEnds: readonly BackEnd[] = [batch, braket, braketJob, ssh, slurm, sublattice]

/** How many tasks an action carries, by executor. */
export const chunks: Policy['chunks'] = Object.fromEntries(backEnds.map(({ name, chunk }) => [name, chunk]))

/** What an event of any back end says about a job of ours. */
export function readNews(event: unknown): JobNews | undefined {
  for (const { readNews: read } of backEnds) {
    const news = read?.(event)
    if (news) return news
  }
  return undefined
}

/**
 * Prices of tasks, by what the operator says and else by the tables of the back ends.
 *
 * Shape: a task's options are those that its executor's schema has checked and filled in. Undefined is unknown, which is
 * more than nothing.
 */
export function createPriceOf(prices: Prices): PriceOf {
  const byExecutor = new Map(backEnds.map(({ name, priceOf }) => [name, priceOf(prices)]))
  return ({ executor, options }) => byExecutor.get(executor)?.(options)
}
