import { z } from 'zod'
import type { JsonObject } from '../../domain/json.ts'
import type { ExecutorFacts } from '../executor.ts'
import { hostJobName } from '../run-command/host-script.ts'
import { runCommandActions } from '../run-command/iam-actions.ts'
import { type Clusters, optionsSchema } from './options.ts'
import { packProblem } from './packing.ts'

/** A launch is a command of its own; 1,000 handles of a cluster are one. */
export const slurmChunk = { submit: 25, poll: 1000, cancel: 1000 } as const

/** Slurm clusters, before any of them is asked. */
export function slurmFacts(clusters: Clusters) {
  return {
    name: 'slurm',
    adopts: true,
    optionsSchema: optionsSchema(clusters),
    handleSchema,
    iamActions: runCommandActions,
    chunk: slurmChunk,
    packing: {
      problem: (options: readonly JsonObject[]) => packProblem(clusters, options),
      mayDifferInNeeds: true,
    },
  } satisfies ExecutorFacts
}

const handleSchema = z.strictObject({
  cluster: z.string(),
  instanceId: z.string(),
  /** 0: not known when the job was submitted. */
  jobId: z.int().nonnegative(),
  name: z.string().regex(hostJobName),
  arrayIndex: z.int().nonnegative().exactOptional(),
})

export type SlurmHandle = z.infer<typeof handleSchema>
