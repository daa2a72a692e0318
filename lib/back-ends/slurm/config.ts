import { z } from 'zod'
import { machineId } from '../run-command/machine-id.ts'
import type { Clusters } from './options.ts'

export const clustersConfig = {
  /** Slurm clusters by name: the machine on which sbatch works, and the user that submits there (default: the agent's, root). */
  clusters: z
    .record(z.string().min(1), z.strictObject({ instanceId: machineId, user: z.string().min(1).exactOptional() }))
    .default({}),
}

export interface ClustersConfig {
  readonly clusters: Clusters
}
