import { z } from 'zod'

export const batchConfig = {
  batch: z
    .strictObject({
      /** The queues that tasks may name: the sweeper looks for leaked jobs there. */
      jobQueues: z.array(z.string().min(1)),
    })
    .exactOptional(),
}

export interface BatchConfig {
  readonly batch?: { readonly jobQueues: readonly string[] }
}
