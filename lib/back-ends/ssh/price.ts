import type { JobPrice } from '../../domain/budget/price.ts'
import type { JsonObject } from '../../domain/json.ts'
import { hourly } from '../hourly.ts'
import type { Prices } from '../prices.ts'

/** By the cores that a task may use of its host. */
export function hostPrices(prices: Prices): (options: JsonObject) => JobPrice | undefined {
  const hosts = new Map(Object.entries(prices.hosts))
  return (options) => {
    const host = hosts.get(String(options.host))
    return host && hourly(host.usdPerCoreHour * (host.cores ?? 1))
  }
}
