import type { Executor } from '../executor.ts'
import { runCommandOnAws } from '../run-command/run-command-on-aws.ts'
import { createSshExecutor } from './executor.ts'
import type { Hosts } from './facts.ts'

/** Hosts behind Systems Manager. */
export const sshOnAws = (hosts: Hosts): Executor => createSshExecutor({ ...runCommandOnAws, hosts })
