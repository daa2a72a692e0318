import { braketIn, outputIn } from '../braket/braket-in.ts'
import type { Devices } from '../braket/devices.ts'
import type { Executor } from '../executor.ts'
import { createBraketJobExecutor } from './executor.ts'

/** Hybrid jobs on Amazon Braket, with the clients that they take. */
export function braketJobOnAws(devices: Devices, bucket: string, roleArn: string): Executor {
  return createBraketJobExecutor({ braketIn, output: outputIn(bucket), devices, roleArn })
}
