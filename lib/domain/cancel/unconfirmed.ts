import type { Dispatch } from '../dispatch.ts'
import { outcomeOf, type Settled, settle } from '../settled.ts'
import type { TaskRun } from '../task-run.ts'
import { planTurn, type Snapshot } from '../turn/plan-turn.ts'
import type { Policy } from '../turn/policy.ts'
import { isFenced } from './cancel-scope.ts'

/** Whether a cancellation still waits for something: a fence over an open task. */
export function isStopping(dispatch: Dispatch): boolean {
  for (let id = 0; id < dispatch.taskCount; id++)
    if (isFenced(dispatch.fences, id) && outcomeOf(dispatch, id) === undefined) return true
  return false
}

/** The attempts that a cancellation has asked to stop and whose end is not known yet. */
export function unconfirmedRuns({ dispatch, live }: Omit<Snapshot, 'graph'>): readonly TaskRun[] {
  return live.filter(
    ({ id, state }) =>
      (state === 'submitting' || state === 'queued' || state === 'running') &&
      isFenced(dispatch.fences, id) &&
      outcomeOf(dispatch, id) === undefined,
  )
}

/** How tasks would be settled by the next turn, were the unconfirmed jobs given up. */
export function settledWithout(snapshot: Snapshot, policy: Policy, now: number): Settled {
  const { dispatch, live } = snapshot
  const given = new Set(unconfirmedRuns(snapshot).map(({ id }) => id))
  const lost = live.map((run): TaskRun => (given.has(run.id) ? { ...run, state: 'lost' } : run))
  return settle(dispatch, planTurn({ ...snapshot, live: lost }, policy, now).outcomes, dispatch.taskCount)
}
