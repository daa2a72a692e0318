/** What Braket charges for one quantum task outside of a hybrid job. */
interface TaskPrice {
  /** Beginning of what follows `device/` in the device's ARN. */
  readonly device: string
  readonly perTaskUsd: number
  readonly perShotUsd: number
}

/**
 * On-demand prices. A simulator is billed by the minute, so its task is listed with its minimum: three seconds.
 *
 * Source: https://aws.amazon.com/braket/pricing/ ("Quantum computers (on-demand)" and "Simulators"), a copy of 2025
 * read on 2026-11-23. Newer machines (IQM Emerald, AQT IBEX, Rigetti Cepheus) are not in it: their price is unknown.
 */
const taskPrices: readonly TaskPrice[] = [
  { device: 'qpu/ionq/Forte', perTaskUsd: 0.3, perShotUsd: 0.08 },
  { device: 'qpu/ionq/Aria', perTaskUsd: 0.3, perShotUsd: 0.03 },
  { device: 'qpu/iqm/Garnet', perTaskUsd: 0.3, perShotUsd: 0.00145 },
  { device: 'qpu/quera/Aquila', perTaskUsd: 0.3, perShotUsd: 0.01 },
  { device: 'qpu/rigetti/Ankaa', perTaskUsd: 0.3, perShotUsd: 0.0009 },
  { device: 'quantum-simulator/amazon/sv1', perTaskUsd: 0.00375, perShotUsd: 0 },
  { device: 'quantum-simulator/amazon/dm1', perTaskUsd: 0.00375, perShotUsd: 0 },
  { device: 'quantum-simulator/amazon/tn1', perTaskUsd: 0.01375, perShotUsd: 0 },
]

/** What a quantum task costs when it runs; undefined for a device that the table does not know. */
export function quantumTaskUsd(deviceArn: string, shots: number): number | undefined {
  const device = deviceArn.slice(deviceArn.indexOf(':device/') + ':device/'.length)
  const price = taskPrices.find((one) => device.startsWith(one.device))
  return price && price.perTaskUsd + shots * price.perShotUsd
}
