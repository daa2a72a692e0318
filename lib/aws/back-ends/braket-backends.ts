import { BraketClient } from '@aws-sdk/client-braket'
import { createBraketTaskExecutor } from '../../back-ends/braket/executor.ts'
import { createBraketJobExecutor } from '../../back-ends/braket-job/executor.ts'
import type { Executor } from '../../back-ends/executor.ts'
import { clientOptions } from '../client-options.ts'
import type { Backends } from '../config.ts'

type Braket = NonNullable<Backends['braket']>

/** By Region; undefined for the function's own. */
const clients = new Map<string | undefined, BraketClient>()

function braketIn(region: string | undefined): BraketClient {
  const client = clients.get(region) ?? new BraketClient({ ...clientOptions, ...(region !== undefined && { region }) })
  clients.set(region, client)
  return client
}

const outputOf = (bucket: string) => ({ bucket, keyPrefix: 'braket' })

/** Quantum tasks on Amazon Braket. */
export function braketTaskBackend(
  { devices }: Braket,
  bucket: string,
  readText: (uri: string) => Promise<string>,
): Executor {
  return createBraketTaskExecutor({ braketIn, output: outputOf(bucket), devices, readText })
}

/** Hybrid jobs on Amazon Braket. */
export function braketJobBackend({ devices }: Braket, bucket: string, roleArn: string): Executor {
  return createBraketJobExecutor({ braketIn, output: outputOf(bucket), devices, roleArn })
}
