import type { Deadline, Executor } from '../../back-ends/executor.ts'
import type { Action } from '../../domain/turn/action.ts'

/** What one kind of action works with. */
export interface Work {
  readonly dispatchId: string
  readonly action: Action
  readonly executor: Executor
  /** What is not done by then is left for the next turn. */
  readonly deadline: Deadline
}
