import type { BackEnd } from '../back-end.ts'
import { loadLater } from '../load-later.ts'
import { batchConfig } from './config.ts'
import { batchFacts } from './facts.ts'
import { readBatchEvent } from './news.ts'
import { batchPrices } from './price.ts'

export const batch: BackEnd = {
  name: batchFacts.name,
  chunk: { ...batchFacts.chunk, packs: true },
  config: batchConfig,
  priceOf: batchPrices,
  readNews: readBatchEvent,
  onAws: ({ batch: configured }, { readLogStream }) => {
    if (!configured) return undefined
    const verbs = readLogStream ? (['readLog', 'listJobs'] as const) : (['listJobs'] as const)
    const load = async () => (await import('./on-aws.ts')).batchOnAws(configured, readLogStream)
    return loadLater(batchFacts, verbs, load)
  },
}
