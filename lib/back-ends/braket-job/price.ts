import type { JobPrice } from '../../domain/budget/price.ts'
import type { JsonObject } from '../../domain/json.ts'
import { hourly } from '../hourly.ts'
import type { Prices } from '../prices.ts'

/** Of the container only: the job's quantum tasks and its storage are billed besides. */
export function hybridJobPrices({ hybridJobInstances }: Prices): (options: JsonObject) => JobPrice | undefined {
  // A map, since a name may be one that every object has.
  const instances = new Map(Object.entries(hybridJobInstances))
  return (options) => {
    const { instanceType, instanceCount } = options as { readonly instanceType: string; readonly instanceCount: number }
    const instance = instances.get(instanceType)
    return instance && hourly(instance.usdPerHour * instanceCount)
  }
}
