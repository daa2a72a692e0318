import type { Executor } from '../executor.ts'
import { ssm } from '../run-command/ssm.ts'
import { createSshExecutor } from './executor.ts'
import type { Hosts } from './facts.ts'

/** Hosts behind Systems Manager. */
export const sshOnAws = (hosts: Hosts): Executor => createSshExecutor({ ssm, hosts })
