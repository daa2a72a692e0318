import { z } from 'zod'
import { machineId } from '../run-command/machine-id.ts'
import type { Hosts } from './facts.ts'

export const hostsConfig = {
  /** Linux hosts for `ssh` tasks, by name. */
  hosts: z.record(z.string().min(1), z.strictObject({ instanceId: machineId })).default({}),
}

export interface HostsConfig {
  readonly hosts: Hosts
}
