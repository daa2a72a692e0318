import type { Dispatch } from '../dispatch.ts'
import type { TaskRun } from '../task-run.ts'
import { isOverdue } from '../task-state.ts'
import { covers } from './cancel-scope.ts'

/**
 * The fences, with the moment noted in those that have just become unconfirmed: a job in their scope is still live when
 * it is overdue. Noted once, so that it is told once; the same object where nothing is new.
 */
export function markUnconfirmed(
  fences: Dispatch['fences'],
  live: readonly TaskRun[],
  at: { readonly now: number; readonly confirmSeconds: number },
): Dispatch['fences'] {
  const late = Object.values(fences).filter(
    (fence) =>
      fence.unconfirmedAt === undefined && isOverdue(fence, at) && live.some((run) => covers(fence.scope, run.id)),
  )
  if (late.length === 0) return fences
  return { ...fences, ...Object.fromEntries(late.map((fence) => [fence.id, { ...fence, unconfirmedAt: at.now }])) }
}
