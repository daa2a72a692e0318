import type { BackEnd } from '../back-end.ts'
import { loadLater } from '../load-later.ts'
import { hostsConfig } from './config.ts'
import { sshChunk, sshFacts } from './facts.ts'
import { hostPrices } from './price.ts'

export const ssh: BackEnd = {
  name: 'ssh',
  chunk: { ...sshChunk, packs: true, placeOf: ({ host }) => String(host) },
  config: hostsConfig,
  priceOf: hostPrices,
  onAws: ({ hosts }) => {
    if (Object.keys(hosts).length === 0) return undefined
    const load = async () => (await import('./on-aws.ts')).sshOnAws(hosts)
    return loadLater(sshFacts(hosts), ['forestall', 'readLog'], load)
  },
}
