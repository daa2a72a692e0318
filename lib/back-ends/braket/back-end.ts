import type { BackEnd } from '../back-end.ts'
import { loadLater } from '../load-later.ts'
import { braketConfig } from './config.ts'
import { createKnownDevices } from './devices.ts'
import { braketTaskChunk, braketTaskFacts } from './facts.ts'
import { readBraketEvent } from './news.ts'
import { quantumTaskPrices } from './price.ts'

export const braket: BackEnd = {
  name: 'braket',
  chunk: { ...braketTaskChunk, placeOf: ({ device }) => String(device) },
  config: braketConfig,
  priceOf: quantumTaskPrices(createKnownDevices().arnOf),
  readNews: readBraketEvent,
  onAws: ({ braket: configured }, parts) => {
    if (!configured) return undefined
    const load = async () => (await import('./on-aws.ts')).braketOnAws(configured, parts)
    return loadLater(braketTaskFacts(createKnownDevices(configured.devices)), [], load)
  },
}
