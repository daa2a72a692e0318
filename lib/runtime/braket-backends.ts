import { BraketClient } from '@aws-sdk/client-braket'
import { createBraketJobExecutor } from '../executors/braket-job.ts'
import { createBraketTaskExecutor } from '../executors/braket-task.ts'
import type { Executor } from '../executors/executor.ts'
import { clientOptions } from './client-options.ts'
import type { Backends } from './config.ts'

interface BraketPlaces {
  readonly bucket: string
  readonly readText: (uri: string) => Promise<string>
}

/** Quantum tasks on Amazon Braket and, where they have a role, hybrid jobs; with a client for every Region of a device. */
export function braketBackends(
  { devices, jobRoleArn }: NonNullable<Backends['braket']>,
  { bucket, readText }: BraketPlaces,
): readonly Executor[] {
  const clients = new Map<string | undefined, BraketClient>()
  const braketIn = (region: string | undefined) => {
    const client =
      clients.get(region) ?? new BraketClient({ ...clientOptions, ...(region !== undefined && { region }) })
    clients.set(region, client)
    return client
  }
  const common = { braketIn, output: { bucket, keyPrefix: 'braket' }, devices }
  const tasks = createBraketTaskExecutor({ ...common, readText })
  return jobRoleArn === undefined ? [tasks] : [tasks, createBraketJobExecutor({ ...common, roleArn: jobRoleArn })]
}
