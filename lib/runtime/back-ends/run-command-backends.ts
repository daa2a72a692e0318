import { SSMClient } from '@aws-sdk/client-ssm'
import type { Executor } from '../../executors/executor.ts'
import { createSlurmExecutor } from '../../executors/slurm/slurm.ts'
import { createSshExecutor } from '../../executors/ssh/ssh.ts'
import { clientOptions } from '../client-options.ts'
import type { Backends } from '../config.ts'

/** One client, and its connections, for hosts and clusters. */
const ssm = new SSMClient(clientOptions)

/** SSH hosts behind Systems Manager. */
export const sshBackend = (hosts: Backends['hosts']): Executor => createSshExecutor({ ssm, hosts })

/** Slurm clusters behind Systems Manager. */
export const slurmBackend = (clusters: Backends['clusters']): Executor => createSlurmExecutor({ ssm, clusters })
