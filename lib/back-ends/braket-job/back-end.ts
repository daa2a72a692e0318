import type { BackEnd } from '../back-end.ts'
import { braketConfig } from '../braket/config.ts'
import { createKnownDevices } from '../braket/devices.ts'
import { loadLater } from '../load-later.ts'
import { braketJobChunk, braketJobFacts } from './facts.ts'
import { hybridJobPrices } from './price.ts'

/** What events say about hybrid jobs is read with that about quantum tasks. */
export const braketJob: BackEnd = {
  name: 'braket-job',
  chunk: { ...braketJobChunk, placeOf: ({ device }) => String(device) },
  config: braketConfig,
  priceOf: hybridJobPrices,
  onAws: ({ braket }, { bucket }) => {
    const { devices, jobRoleArn } = braket ?? {}
    if (!devices || jobRoleArn === undefined) return undefined
    const load = async () => (await import('./on-aws.ts')).braketJobOnAws(devices, bucket, jobRoleArn)
    return loadLater(braketJobFacts(createKnownDevices(devices)), [], load)
  },
}
