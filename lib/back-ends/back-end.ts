import type { z } from 'zod'
import type { JobPrice } from '../domain/budget/price.ts'
import type { JsonObject } from '../domain/json.ts'
import type { ChunkSizes } from '../domain/turn/policy.ts'
import type { BatchConfig } from './batch/config.ts'
import type { ReadLogStream } from './batch/log-stream.ts'
import type { BraketConfig } from './braket/config.ts'
import type { Executor, JobNews } from './executor.ts'
import type { Prices } from './prices.ts'
import type { ClustersConfig } from './slurm/config.ts'
import type { HostsConfig } from './ssh/config.ts'
import type { ChildDispatches } from './sublattice/child-dispatches.ts'

/**
 * A back end as everybody knows it before anything of it is called: what the planner, the prices, the configuration, the
 * events and the composition roots derive from. `registry.ts` lists them all.
 */
export interface BackEnd {
  /** What `executor` of a task says. */
  readonly name: string
  /** How many tasks an action carries: said here for those that plan and have no executors at hand. */
  readonly chunk: ChunkSizes
  /** Its part of the configuration, by field; several back ends may share a field. */
  readonly config: Readonly<Record<string, z.ZodType>>
  /** What a task costs, by its options as the executor's schema leaves them; undefined is unknown, not nothing. */
  priceOf(prices: Prices): (options: JsonObject) => JobPrice | undefined
  /** What an event says about a job of ours; undefined for others' jobs and other events. */
  readonly readNews?: (event: unknown) => JobNews | undefined
  /** Its executor over AWS's own services, where it is configured. A start loads none of its SDK clients. */
  onAws(configured: Configured, parts: AwsParts): Executor | undefined
}

/** What is configured of all back ends. */
export interface Configured extends BatchConfig, BraketConfig, HostsConfig, ClustersConfig {}

/** What an executor on AWS works with beside its own services. */
export interface AwsParts {
  /** Where results go. */
  readonly bucket: string
  /** Graphs and programs that a task has made. Errors: as `sublattice/executor.ts` says. */
  readonly readText: (uri: string) => Promise<string>
  /** What jobs on Batch write; for those that show it. */
  readonly readLogStream?: ReadLogStream
  readonly children: ChildDispatches
}
