import { SSMClient } from '@aws-sdk/client-ssm'
import type { Executor } from '../executors/executor.ts'
import { createSlurmExecutor } from '../executors/slurm.ts'
import { createSshExecutor } from '../executors/ssh.ts'
import { clientOptions } from './client-options.ts'
import type { Backends } from './config.ts'

/** SSH hosts and Slurm clusters, as far as there are some, behind one client of Systems Manager. */
export function runCommandBackends({ hosts, clusters }: Pick<Backends, 'hosts' | 'clusters'>): readonly Executor[] {
  const ssm = new SSMClient(clientOptions)
  return [
    ...(Object.keys(hosts).length > 0 ? [createSshExecutor({ ssm, hosts })] : []),
    ...(Object.keys(clusters).length > 0 ? [createSlurmExecutor({ ssm, clusters })] : []),
  ]
}
