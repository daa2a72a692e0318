import type { Dispatch } from '../dispatch.ts'
import type { EndCounts } from '../fence.ts'
import { isGivenUp } from '../redrive/given-up.ts'
import type { Outcome, TaskRun } from '../task-run.ts'
import { covers } from './cancel-scope.ts'

const none: EndCounts = { cancelled: 0, succeeded: 0, failed: 0 }

/**
 * The fences with what a turn settles added to their counts: live tasks by executor and outcome, the rest as
 * abandoned. Written together with `settled`, so the counts are exact whatever crashes.
 */
export function tallyFences(
  fences: Dispatch['fences'],
  outcomes: ReadonlyMap<number, Outcome>,
  live: readonly TaskRun[],
): Dispatch['fences'] {
  const runs = new Map(live.map((run) => [run.id, run]))
  return Object.fromEntries(
    Object.entries(fences).map(([id, fence]) => {
      let abandoned = fence.abandoned
      const ended = { ...fence.ended }
      for (const [taskId, outcome] of outcomes) {
        if (!covers(fence.scope, taskId)) continue
        const run = runs.get(taskId)
        if (!run || outcome === 'skipped') abandoned += 1
        else {
          const counts = ended[run.executor] ?? none
          ended[run.executor] = isGivenUp(run)
            ? { ...counts, unconfirmed: (counts.unconfirmed ?? 0) + 1 }
            : { ...counts, [outcome]: counts[outcome] + 1 }
        }
      }
      return [id, { ...fence, abandoned, ended }]
    }),
  )
}
