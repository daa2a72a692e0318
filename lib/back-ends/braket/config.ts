import { z } from 'zod'
import type { Devices } from './devices.ts'

export const braketConfig = {
  braket: z
    .strictObject({
      /** Short name → ARN. Tasks may use these devices and no others. */
      devices: z.record(z.string().min(1), z.string().regex(/^arn:[^:]+:[^:]+:/, 'must be an ARN')).default({}),
      /** The role of hybrid jobs. Without it there are none. */
      jobRoleArn: z
        .string()
        .regex(/^arn:[^:]+:[^:]+:/, 'must be an ARN')
        .exactOptional(),
    })
    .exactOptional(),
}

export interface BraketConfig {
  readonly braket?: { readonly devices: Devices; readonly jobRoleArn?: string }
}
