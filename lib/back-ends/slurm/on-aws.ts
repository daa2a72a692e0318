import type { Executor } from '../executor.ts'
import { ssm } from '../run-command/ssm.ts'
import { createSlurmExecutor } from './executor.ts'
import type { Clusters } from './options.ts'

/** Slurm clusters behind Systems Manager. */
export const slurmOnAws = (clusters: Clusters): Executor => createSlurmExecutor({ ssm, clusters })
