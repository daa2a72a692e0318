import type { Task } from '../graph/graph.ts'

/** What one attempt of a task costs, as far as that is known before it has ended. All of it in US dollars. */
export interface JobPrice {
  /** While it runs, from `startedAt` to `endedAt`. */
  readonly perSecondUsd: number
  /** Once it has started, it is billed for this long at least. */
  readonly minimumSeconds: number
  /** Owed from the moment that the job is made; given back when it is cancelled before it ran. */
  readonly commitUsd: number
}

/** The price of a task's job; undefined where it is not known, which is not the same as nothing. */
export type PriceOf = (task: Pick<Task, 'executor' | 'options'>) => JobPrice | undefined
