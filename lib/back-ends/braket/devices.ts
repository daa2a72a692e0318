import { z } from 'zod'

/** Amazon's own simulators, by the names that AWS uses for them. */
const simulators = {
  sv1: 'arn:aws:braket:::device/quantum-simulator/amazon/sv1',
  dm1: 'arn:aws:braket:::device/quantum-simulator/amazon/dm1',
  tn1: 'arn:aws:braket:::device/quantum-simulator/amazon/tn1',
}

/** Short names of devices, and their ARNs. */
export type Devices = Readonly<Record<string, string>>

export interface KnownDevices {
  /** A device as people write it: its ARN, or one of the short names. SV1 by default. */
  readonly schema: z.ZodType<string, string | undefined>
  arnOf(device: string): string
}

/** The devices that a task may name: any by its ARN, the simulators and the configured ones by a short name. */
export function createKnownDevices(configured: Devices = {}): KnownDevices {
  const devices: Devices = { ...simulators, ...configured }
  const message = `must be the ARN of a device, or one of ${Object.keys(devices).join(', ')}`
  return {
    schema: z
      .string()
      .refine((device) => isDeviceArn(device) || Object.hasOwn(devices, device), message)
      .default('sv1'),
    arnOf: (device) => (Object.hasOwn(devices, device) ? devices[device] : undefined) ?? device,
  }
}

const isDeviceArn = (text: string): boolean => /^arn:aws[a-z-]*:braket:[a-z0-9-]*:\d*:device\/.+$/.test(text)
