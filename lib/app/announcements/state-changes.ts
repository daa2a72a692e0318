import { covers } from '../../domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import type { Fence } from '../../domain/fence.ts'
import type { Task } from '../../domain/graph/graph.ts'
import { outcomeOf } from '../../domain/settled.ts'
import type { Outcome, TaskRun } from '../../domain/task-run.ts'
import { retryAt } from '../../domain/turn/retry.ts'
import { dispatchState } from '../read/views.ts'

/** What one write of META changed, as people are told of it. */
export interface DispatchChanges {
  /** The dispatch has come to another state: it began, is being cancelled, or ended. */
  readonly isNewState: boolean
  /** The tasks that were settled. */
  readonly outcomes: ReadonlyMap<number, Outcome>
  /** The tasks that a redrive has reopened. */
  readonly reopened: readonly number[]
  /** The cancellations that have come to another state. */
  readonly cancellations: readonly { readonly fence: Fence; readonly state: CancellationState }[]
}

export type CancellationState = 'stopping' | 'unconfirmed' | 'confirmed'

/** What one write of a task's item changed: the state to tell, and when a failed attempt may be repeated. */
export interface RunChange {
  readonly state: 'pending' | 'submitting' | 'queued' | 'running'
  readonly retryAt?: number
}

/**
 * Compare META before and after a write. Pure: the same two images give the same changes.
 *
 * Shape: nothing for a tombstone, the mark of a child that was never born.
 */
export function changesOfDispatch(before: Dispatch | undefined, after: Dispatch): DispatchChanges {
  if (after.taskCount === 0) return { isNewState: false, outcomes: new Map(), reopened: [], cancellations: [] }
  const outcomes = new Map<number, Outcome>()
  const reopened: number[] = []
  for (let id = 0; id < after.taskCount; id++) {
    const [was, is] = [before && outcomeOf(before, id), outcomeOf(after, id)]
    if (is && !was) outcomes.set(id, is)
    if (was && !is) reopened.push(id)
  }
  const cancellations = Object.values(after.fences).flatMap((fence) => {
    const known = before?.fences[fence.id]
    const state = cancellationState(after, fence)
    return before && known && cancellationState(before, known) === state ? [] : [{ fence, state }]
  })
  const isNewState = !before || dispatchState(before) !== dispatchState(after)
  return { isNewState, outcomes, reopened, cancellations }
}

function cancellationState(dispatch: Dispatch, fence: Fence): CancellationState {
  if (openIn(dispatch, fence) === 0) return 'confirmed'
  return fence.unconfirmedAt === undefined ? 'stopping' : 'unconfirmed'
}

/** How many tasks in a fence's scope are not settled. */
export function openIn(dispatch: Dispatch, { scope }: Fence): number {
  let count = 0
  for (let id = 0; id < dispatch.taskCount; id++)
    if (covers(scope, id) && outcomeOf(dispatch, id) === undefined) count += 1
  return count
}

/**
 * Compare the item of a task before and after a write.
 *
 * Shape: undefined for ends that are final: META tells them, once, when they are settled. An attempt that failed and may
 * be repeated makes its task `pending` again.
 */
export function changeOfRun(before: TaskRun | undefined, after: TaskRun, task: Task): RunChange | undefined {
  if (before?.state === after.state && before.attempt === after.attempt) return undefined
  switch (after.state) {
    case 'submitting':
    case 'queued':
    case 'running':
      return { state: after.state }
    case 'released':
      // Out of the live index: it was given up.
      return after.live ? { state: 'pending' } : undefined
    case 'failed':
    case 'lost': {
      const again = retryAt(task, after)
      return again === undefined ? undefined : { state: 'pending', retryAt: again }
    }
    case 'succeeded':
    case 'cancelled':
      return undefined
  }
}
