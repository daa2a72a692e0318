import { SSMClient } from '@aws-sdk/client-ssm'
import type { Executor } from '../../back-ends/executor.ts'
import { createSlurmExecutor } from '../../back-ends/slurm/executor.ts'
import { createSshExecutor } from '../../back-ends/ssh/executor.ts'
import { clientOptions } from '../client-options.ts'
import type { Backends } from '../config.ts'

/** One client, and its connections, for hosts and clusters. */
const ssm = new SSMClient(clientOptions)

/** SSH hosts behind Systems Manager. */
export const sshBackend = (hosts: Backends['hosts']): Executor => createSshExecutor({ ssm, hosts })

/** Slurm clusters behind Systems Manager. */
export const slurmBackend = (clusters: Backends['clusters']): Executor => createSlurmExecutor({ ssm, clusters })
