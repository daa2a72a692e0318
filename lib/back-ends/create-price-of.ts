import type { JobPrice, PriceOf } from '../domain/budget/price.ts'
import { sublattice } from '../domain/graph/graph.ts'
import type { JsonObject } from '../domain/json.ts'
import { batchJobPrice } from './batch/price.ts'
import { devicePrice, quantumTaskPrice } from './braket/price.ts'
import { hourly } from './hourly.ts'
import type { JobSize, Prices } from './prices.ts'
import { type SlurmSize, slurmCores } from './slurm/cores.ts'

/** A child dispatch costs what its own tasks do. */
const nothing: JobPrice = { perSecondUsd: 0, minimumSeconds: 0, commitUsd: 0 }

/**
 * Prices of tasks, by what the operator says and else by the tables.
 *
 * Shape: a task's options are those that its executor's schema has checked and filled in. Undefined is unknown, which is
 * more than nothing. `arnOf` gives the ARN of a device by the name that tasks use, and leaves what it does not know alone.
 */
export function createPriceOf(prices: Prices, arnOf: (device: string) => string): PriceOf {
  // Maps, since a name may be one that every object has.
  const [queues, devices, instances, hosts, clusters] = [
    new Map(Object.entries(prices.queues)),
    new Map(Object.entries(prices.devices)),
    new Map(Object.entries(prices.hybridJobInstances)),
    new Map(Object.entries(prices.hosts)),
    new Map(Object.entries(prices.clusters)),
  ]

  const batch = (options: JsonObject): JobPrice | undefined => {
    const { vcpus, memoryMiB, gpus } = options as JobSize
    const queue = queues.get(String(options.jobQueue))
    return queue && batchJobPrice(queue, known({ vcpus, memoryMiB, gpus }))
  }

  const quantumTask = (options: JsonObject): JobPrice | undefined => {
    const { device, shots } = options as { readonly device: string; readonly shots: number }
    const arn = arnOf(device)
    const price = devices.get(device) ?? devices.get(arn) ?? devicePrice(arn)
    return price && quantumTaskPrice(price, shots)
  }

  /** The container only: the job's quantum tasks and its storage are billed besides. */
  const hybridJob = (options: JsonObject): JobPrice | undefined => {
    const { instanceType, instanceCount } = options as { readonly instanceType: string; readonly instanceCount: number }
    const instance = instances.get(instanceType)
    return instance && hourly(instance.usdPerHour * instanceCount)
  }

  const onHost = (options: JsonObject): JobPrice | undefined => {
    const host = hosts.get(String(options.host))
    return host && hourly(host.usdPerCoreHour * (host.cores ?? 1))
  }

  /** A task may leave its cluster out where there is but one. */
  const onCluster = (options: JsonObject): JobPrice | undefined => {
    const { cluster: name, ...size } = options as { readonly cluster?: string } & SlurmSize
    const cluster = name === undefined && clusters.size === 1 ? [...clusters.values()][0] : clusters.get(name ?? '')
    return cluster && hourly(cluster.usdPerCoreHour * slurmCores(size))
  }

  const byExecutor = new Map([
    ['batch', batch],
    ['braket', quantumTask],
    ['braket-job', hybridJob],
    ['ssh', onHost],
    ['slurm', onCluster],
    [sublattice, () => nothing],
  ])
  return ({ executor, options }) => byExecutor.get(executor)?.(options)
}

/** What a task leaves out must not hide the default of its queue. */
function known(size: { readonly [Key in keyof JobSize]: JobSize[Key] | undefined }): JobSize {
  return Object.fromEntries(Object.entries(size).filter(([, value]) => value !== undefined))
}
