import { sublattice as name } from '../../domain/graph/graph.ts'
import type { BackEnd } from '../back-end.ts'
import { createSublatticeExecutor, sublatticeChunk } from './executor.ts'

/** A child dispatch costs what its own tasks do. */
const nothing = { perSecondUsd: 0, minimumSeconds: 0, commitUsd: 0 }

/** Needs no configuration: what it calls is there wherever Quench is. A child tells its parent of its end by itself. */
export const sublattice: BackEnd = {
  name,
  chunk: sublatticeChunk,
  config: {},
  priceOf: () => () => nothing,
  onAws: (_, parts) => createSublatticeExecutor(parts),
}
