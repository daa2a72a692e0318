import type { Fence } from '../fence.ts'
import { outcomeOf } from '../settled.ts'
import { type Action, attemptsOf, chunkActions, chunkAttempts } from '../turn/action.ts'
import type { Snapshot } from '../turn/plan-turn.ts'
import type { Policy } from '../turn/policy.ts'
import { covers, fencesOver } from './cancel-scope.ts'
import { killGroups } from './kill-pass.ts'

/**
 * The first kill pass, for a snapshot whose META holds the fence: stop every running job in `scope`, and look for the
 * jobs of claims that have no handle yet. Where a back end can forestall a job, what is looked for and not there never
 * comes: a submit in flight is stopped before it has an effect.
 */
export function planCancel(
  { dispatch, graph, live }: Snapshot,
  scope: Fence['scope'],
  policy: Policy,
  now: number,
): readonly Action[] {
  const covered = live.filter((run) => covers(scope, run.id) && outcomeOf(dispatch, run.id) === undefined)
  const running = covered.filter((run) => run.handle && (run.state === 'queued' || run.state === 'running'))
  const claimed = covered.filter((run) => run.state === 'submitting')
  const cut = { graph, epoch: dispatch.epoch, policy }
  return [
    ...chunkActions(
      cut,
      killGroups(running, (run) => fencesOver(dispatch.fences, run.id), now),
    ),
    ...chunkAttempts(cut, 'recover', attemptsOf(claimed)),
  ]
}
