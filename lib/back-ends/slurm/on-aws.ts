import type { Executor } from '../executor.ts'
import { runCommandOnAws } from '../run-command/run-command-on-aws.ts'
import { createSlurmExecutor } from './executor.ts'
import type { Clusters } from './options.ts'

/** Slurm clusters behind Systems Manager. */
export const slurmOnAws = (clusters: Clusters): Executor => createSlurmExecutor({ ...runCommandOnAws, clusters })
