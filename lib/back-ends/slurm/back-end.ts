import type { BackEnd } from '../back-end.ts'
import { loadLater } from '../load-later.ts'
import { clustersConfig } from './config.ts'
import { slurmChunk, slurmFacts } from './facts.ts'
import { clusterPrices } from './price.ts'

export const slurm: BackEnd = {
  name: 'slurm',
  chunk: { ...slurmChunk, packs: true, placeOf: ({ cluster = '' }) => String(cluster) },
  config: clustersConfig,
  priceOf: clusterPrices,
  onAws: ({ clusters }) => {
    if (Object.keys(clusters).length === 0) return undefined
    const load = async () => (await import('./on-aws.ts')).slurmOnAws(clusters)
    return loadLater(slurmFacts(clusters), ['forestall', 'readLog'], load)
  },
}
