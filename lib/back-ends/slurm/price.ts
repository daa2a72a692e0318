import type { JobPrice } from '../../domain/budget/price.ts'
import type { JsonObject } from '../../domain/json.ts'
import { hourly } from '../hourly.ts'
import type { Prices } from '../prices.ts'

/** By the cores that a job asks for. A task may leave its cluster out where there is but one. */
export function clusterPrices(prices: Prices): (options: JsonObject) => JobPrice | undefined {
  const clusters = new Map(Object.entries(prices.clusters))
  return (options) => {
    const { cluster: name, ...size } = options as { readonly cluster?: string } & SlurmSize
    const cluster = name === undefined && clusters.size === 1 ? [...clusters.values()][0] : clusters.get(name ?? '')
    return cluster && hourly(cluster.usdPerCoreHour * slurmCores(size))
  }
}

/** Those options of a task that say how much it takes. */
interface SlurmSize {
  readonly nodes?: number | string
  readonly ntasks?: number
  readonly cpusPerTask?: number
}

/**
 * How many cores a job asks for, at most.
 *
 * `ntasks` counts the tasks of the whole job; without it there is one a node. Of `2-4` nodes it may get four. Options in
 * `extra` are not read (--gpus, --exclusive), nor is it known whether the site gives whole nodes. `2k` nodes are 2,048.
 * Source: sbatch(1), --nodes, --ntasks, --cpus-per-task.
 */
function slurmCores({ nodes = 1, ntasks, cpusPerTask = 1 }: SlurmSize): number {
  const counts = [...String(nodes).matchAll(/(\d+)([km]?)/gi)].map(
    ([, number, unit = '']) => Number(number) * ({ k: 1024, m: 1024 ** 2 }[unit.toLowerCase()] ?? 1),
  )
  return Math.max(ntasks ?? Math.max(...counts), Math.min(...counts)) * cpusPerTask
}
