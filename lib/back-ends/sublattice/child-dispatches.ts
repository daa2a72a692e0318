import type { Problem } from '../../domain/errors.ts'
import type { JobRef } from '../../domain/job-name.ts'
import type { CancelOutcome, CancelRequest, Observation } from '../executor.ts'

/** The port to the dispatches behind sublattice tasks. */
export interface ChildDispatches {
  /** The id of the dispatch that is the job of this name. */
  idOf(name: string): string
  /** Everything that is wrong with a graph. */
  check(graph: unknown): readonly Problem[]
  /** Make it and start it, or do nothing where it is there. Errors: InvalidInput with every problem of the graph. */
  start(child: { id: string; graph: unknown; resultUri: string }, parent: JobRef): Promise<void>
  exists(childId: string): Promise<boolean>
  observe(childId: string): Promise<Observation>
  cancel(childId: string, request: CancelRequest): Promise<CancelOutcome>
  /** Put a tombstone in the place of a dispatch that is not there yet; cancel one that is. */
  forestall(childId: string, parent: JobRef): Promise<void>
}
