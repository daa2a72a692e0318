import { BraketClient } from '@aws-sdk/client-braket'
import { clientOptions } from '../client-options.ts'

/** By Region; undefined for the function's own. */
const clients = new Map<string | undefined, BraketClient>()

/** The client of a Region: a task stands in the Region of its device. */
export function braketIn(region: string | undefined): BraketClient {
  const client = clients.get(region) ?? new BraketClient({ ...clientOptions, ...(region !== undefined && { region }) })
  clients.set(region, client)
  return client
}

/** Where Braket is to leave results. */
export const outputIn = (bucket: string) => ({ bucket, keyPrefix: 'braket' })
