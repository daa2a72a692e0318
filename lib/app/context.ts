import type { Deadline, Executor } from '../back-ends/executor.ts'
import type { Policy } from '../domain/turn/policy.ts'
import type { BulkStore } from '../store/bulk-store.ts'
import type { Store } from '../store/store.ts'
import type { BulkRunner } from './bulk-runner.ts'
import type { Executions } from './executions.ts'
import type { ResultFiles } from './result-files.ts'

/** What every use case works with; made once, in a composition root. */
export interface Context extends ResultFiles {
  readonly store: Store
  readonly bulks: BulkStore
  readonly bulkRunner: BulkRunner
  readonly executors: ReadonlyMap<string, Executor>
  readonly executions: Executions
  readonly policy: Policy
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly sleep: (seconds: number) => Promise<void>
  /** A deadline at an instant, whose signal fires then by the same clock as `now`. */
  readonly deadlineAt: (at: number) => Deadline
  readonly newId: () => string
  /** Where the results of a task's attempt go. */
  readonly resultUri: (dispatchId: string, taskId: number, attempt: number) => string
  /** How many tasks of one action are worked on at once. */
  readonly concurrency: number
  /** One line of JSON a decision. */
  readonly log: (decision: Readonly<Record<string, unknown>>) => void
}
