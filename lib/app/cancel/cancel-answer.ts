import { covers } from '../../domain/cancel/cancel-scope.ts'
import type { Cancellation } from '../../domain/cancellation.ts'
import type { Fence } from '../../domain/fence.ts'
import { outcomeOf } from '../../domain/settled.ts'
import { shownState } from '../../domain/task-state.ts'
import type { Snapshot } from '../../domain/turn/plan-turn.ts'
import type { CancelAnswer } from '../../schema/api.ts'
import type { Context } from '../context.ts'

interface Request {
  readonly scope: Fence['scope']
  /** The tasks that were named, sorted; undefined for the whole dispatch. */
  readonly targets: readonly number[] | undefined
  readonly dryRun: boolean
}

/** What a cancel finds: what it stops, what it gives up, what has ended. The preview and the real thing in one. */
export function cancelAnswer(
  { dispatch, graph, live }: Snapshot,
  { scope, targets, dryRun }: Request,
  { now, policy, executors }: Pick<Context, 'now' | 'policy' | 'executors'>,
): CancelAnswer {
  const runs = new Map(live.map((run) => [run.id, run]))
  const found = (taskId: number) => {
    if (outcomeOf(dispatch, taskId)) return 'finished'
    return runs.has(taskId) ? 'stopping' : 'abandoned'
  }
  const counts = { stopping: 0, abandoned: 0, finished: 0 }
  const backends: Record<string, number> = {}
  for (const { id, executor } of graph.tasks) {
    const isNamed = targets?.includes(id) ?? false
    if (!covers(scope, id) && !isNamed) continue
    const what = found(id)
    counts[what] += 1
    if (what === 'stopping') backends[executor] = (backends[executor] ?? 0) + 1
  }
  const etas = Object.entries(backends).flatMap(([name, count]) => {
    const seconds = executors.get(name)?.cancelSeconds?.(count) ?? 0
    return seconds > 0 ? [[name, seconds] as const] : []
  })
  const at = { now: now(), confirmSeconds: policy.confirmSeconds }
  return {
    dispatchId: dispatch.id,
    dryRun,
    scope: scope === 'all' ? 'dispatch' : 'tasks',
    counts: { ...counts, backends, ...(etas.length > 0 && { etaSeconds: Object.fromEntries(etas) }) },
    targets: (targets ?? []).flatMap((taskId) => {
      const task = graph.tasks[taskId]
      if (!task) return []
      return [
        { taskId, name: task.name, found: found(taskId), state: shownState(dispatch, task, runs.get(taskId), at) },
      ]
    }),
  }
}

/** To a request that comes again when its cancellation is over and its dispatch was redriven. */
export function nothingLeft({ id, dispatchId, taskIds, final }: Cancellation): CancelAnswer {
  const ended = Object.values(final?.ended ?? {}).reduce(
    (sum, { cancelled, succeeded, failed }) => sum + cancelled + succeeded + failed,
    final?.abandoned ?? 0,
  )
  return {
    cancellationId: id,
    dispatchId,
    dryRun: false,
    scope: taskIds ? 'tasks' : 'dispatch',
    counts: { stopping: 0, abandoned: 0, finished: ended, backends: {} },
    targets: [],
  }
}
