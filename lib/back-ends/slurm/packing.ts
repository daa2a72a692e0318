import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../../domain/json.ts'
import type { JobSpec } from '../executor.ts'
import type { Clusters, TaskOptions } from './options.ts'

/** Each element of an array has its own. */
const ownKeys = ['command', 'cwd', 'environment']

/** Source: slurm.conf(5), MaxArraySize: the greatest index is one less than it. */
const defaultMaxArraySize = 1001

/** What keeps tasks from being one job array: sbatch takes its options for all elements at once. */
export function packProblem(clusters: Clusters, options: readonly JsonObject[]): string | undefined {
  const [onlyCluster = ''] = Object.keys(clusters)
  const members = options.map((one) => ({ cluster: onlyCluster, ...one }) as JsonObject & TaskOptions)
  const [first] = members
  if (!first) return undefined
  for (const member of members) {
    const keys = [...new Set([...Object.keys(first), ...Object.keys(member)])]
    const key = keys.find((one) => !ownKeys.includes(one) && !isDeepStrictEqual(first[one], member[one]))
    if (key !== undefined) return `members of a pack on Slurm are one job array, and must not differ in ${key}`
  }
  const { cluster = onlyCluster } = first
  const { maxArraySize = defaultMaxArraySize } = clusters[cluster] ?? {}
  if (members.length <= maxArraySize) return undefined
  const limit = `an array on ${cluster} has at most ${maxArraySize} elements`
  return `${limit}, not ${members.length}: make smaller packs, or configure the cluster's maxArraySize if its MaxArraySize is more`
}

/** The time limit of an array is one for all its elements; where options name none, it comes from the tasks. */
export function packTimeoutProblem(jobs: readonly JobSpec[]): string | undefined {
  const [first] = jobs
  if (first?.options.time !== undefined || jobs.every((job) => job.timeoutSeconds === first?.timeoutSeconds))
    return undefined
  return 'members of a pack on Slurm are one job array, and must not differ in timeoutSeconds'
}
