import type { Prices } from '../../../lib/back-ends/prices.ts'
import { createPriceOf } from '../../../lib/back-ends/registry.ts'
import type { JobPrice } from '../../../lib/domain/budget/price.ts'

const nothingSaid: Prices = { queues: {}, devices: {}, hybridJobInstances: {}, hosts: {}, clusters: {} }

/** Prices as a server has them. */
export function aPriceOf(prices: Partial<Prices>) {
  return createPriceOf({ ...nothingSaid, ...prices })
}

/** What a job of that price is charged when it has run for so long. */
export function charge(price: JobPrice | undefined, seconds: number): number {
  if (!price) return Number.NaN
  return price.commitUsd + price.perSecondUsd * Math.max(seconds, price.minimumSeconds)
}
