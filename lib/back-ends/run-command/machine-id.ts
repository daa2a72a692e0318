import { z } from 'zod'

/** Source: Systems Manager user guide, "Managed nodes": instances of EC2, and machines that were registered. */
export const machineId = z.string().regex(/^m?i-[0-9a-f]{8,17}$/, 'must be the id of an EC2 or a managed instance')
