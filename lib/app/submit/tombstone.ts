import type { Dispatch } from '../../domain/dispatch.ts'
import type { JobRef } from '../../domain/job-name.ts'
import { nothingSettled } from '../../domain/settled.ts'
import type { Context } from '../context.ts'
import { stableId } from '../stable-id.ts'

/** The id of the dispatch that is the job of this name. */
export const childIdOf = (name: string): string => stableId('child', name)

/**
 * Put a dispatch that has ended in the place of a child that is not there yet, so that it is never born. False where the child
 * was first.
 */
export function putTombstone(
  { store, now }: Context,
  childId: string,
  parent: Dispatch,
  ref: JobRef,
): Promise<boolean> {
  return store.createDispatch({
    id: childId,
    name: 'never started',
    owner: parent.owner,
    tags: {},
    taskCount: 0,
    status: 'cancelled',
    createdAt: now(),
    endedAt: now(),
    settled: nothingSettled(0),
    fences: {},
    epoch: 1,
    parent: { ...ref, depth: (parent.parent?.depth ?? 0) + 1 },
    version: 1,
  })
}
