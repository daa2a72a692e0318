import type { JobPrice } from '../../domain/budget/price.ts'
import type { JsonObject } from '../../domain/json.ts'
import type { DevicePrice, Prices } from '../prices.ts'

/** Source: https://aws.amazon.com/braket/pricing/, "Simulators". The SDK's cost tracker bills the same minimum. */
const simulatorMinimumSeconds = 3

/**
 * On-demand prices of quantum tasks outside of hybrid jobs, by the beginning of what follows `device/` in the device's ARN.
 *
 * Source: https://aws.amazon.com/braket/pricing/ ("Quantum computers (on-demand)" and "Simulators"), a copy of 2025
 * read on 2026-11-23. Newer machines (IQM Emerald, AQT IBEX, Rigetti Cepheus) are not in it: their price is unknown.
 */
const listed: readonly (readonly [device: string, price: DevicePrice])[] = [
  ['qpu/ionq/Forte', { usdPerTask: 0.3, usdPerShot: 0.08 }],
  ['qpu/ionq/Aria', { usdPerTask: 0.3, usdPerShot: 0.03 }],
  ['qpu/iqm/Garnet', { usdPerTask: 0.3, usdPerShot: 0.00145 }],
  ['qpu/quera/Aquila', { usdPerTask: 0.3, usdPerShot: 0.01 }],
  ['qpu/rigetti/Ankaa', { usdPerTask: 0.3, usdPerShot: 0.0009 }],
  ['quantum-simulator/amazon/sv1', { usdPerMinute: 0.075 }],
  ['quantum-simulator/amazon/dm1', { usdPerMinute: 0.075 }],
  ['quantum-simulator/amazon/tn1', { usdPerMinute: 0.275 }],
]

/** By what the operator says of a task's device, or by the table. `arnOf` knows the short names of devices. */
export const quantumTaskPrices =
  (arnOf: (device: string) => string) =>
  (prices: Prices): ((options: JsonObject) => JobPrice | undefined) => {
    const devices = new Map(Object.entries(prices.devices))
    return (options) => {
      const { device, shots } = options as { readonly device: string; readonly shots: number }
      const arn = arnOf(device)
      const price = devices.get(device) ?? devices.get(arn) ?? devicePrice(arn)
      return price && quantumTaskPrice(price, shots)
    }
  }

/** What Braket lists for a device; undefined for one that the table does not know. */
export function devicePrice(deviceArn: string): DevicePrice | undefined {
  const device = deviceArn.slice(deviceArn.indexOf(':device/') + ':device/'.length)
  return listed.find(([beginning]) => device.startsWith(beginning))?.[1]
}

/** A machine's task is paid for as a whole, so it is owed once it is made; a simulator's by its time. */
function quantumTaskPrice(price: DevicePrice, shots: number): JobPrice {
  if ('usdPerMinute' in price)
    return { perSecondUsd: price.usdPerMinute / 60, minimumSeconds: simulatorMinimumSeconds, commitUsd: 0 }
  return { perSecondUsd: 0, minimumSeconds: 0, commitUsd: price.usdPerTask + shots * price.usdPerShot }
}

/** What a quantum task costs at least when it runs; undefined for a device that the table does not know. */
export function quantumTaskUsd(deviceArn: string, shots: number): number | undefined {
  const price = devicePrice(deviceArn)
  if (!price) return undefined
  const { perSecondUsd, minimumSeconds, commitUsd } = quantumTaskPrice(price, shots)
  return perSecondUsd * minimumSeconds + commitUsd
}
