import type { Policy } from '../../domain/turn/policy.ts'

/**
 * How many tasks an action carries, by executor: what the executors say themselves (a test compares), for the functions
 * that plan and never call a back end. The turn is to start without loading their SDK clients.
 */
export const chunks: Policy['chunks'] = {
  batch: { submit: 25, poll: 100, cancel: 10_000, packs: true },
  braket: { submit: 20, poll: 100, cancel: 40 },
  'braket-job': { submit: 5, poll: 25, cancel: 15 },
  ssh: { submit: 25, poll: 1000, cancel: 1000, packs: true },
  slurm: { submit: 25, poll: 1000, cancel: 1000, packs: true },
  sublattice: { submit: 10, poll: 100, cancel: 100 },
}
