import type { JobPrice } from '../domain/budget/price.ts'

/** The price of a job that is billed for its time, by the second. */
export function hourly(usdPerHour: number, minimumSeconds = 0): JobPrice {
  return { perSecondUsd: usdPerHour / 3600, minimumSeconds, commitUsd: 0 }
}
