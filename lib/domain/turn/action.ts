import type { KillGroup } from '../cancel/kill-pass.ts'
import type { Graph, Task } from '../graph/graph.ts'
import type { TaskRun } from '../task-run.ts'
import type { Policy } from './policy.ts'

export interface AttemptId {
  readonly taskId: number
  readonly attempt: number
}

/** Work of one kind for one executor. Of an older epoch than the dispatch's it must not be done. */
export interface Action {
  readonly kind: 'submit' | 'poll' | 'recover' | 'cancel'
  readonly executor: string
  /** Where all of its tasks run (`ChunkSizes.placeOf`); absent where the executor has one place only. */
  readonly place?: string
  readonly epoch: number
  /** With `submit`: how often the dispatch was redriven, where it was. */
  readonly redrives?: number
  /** With `submit` of a redriven dispatch, attempt 1 stands for the next one where there were others before. */
  readonly tasks: readonly AttemptId[]
  /** With `submit`: the pack to start as one job, instead of `tasks`: 10,000 of them would not fit an execution's state. */
  readonly pack?: string
  /** With `cancel`. */
  readonly mode?: 'graceful' | 'force'
  readonly reason?: string
  /** With `cancel`: from asking a job to end to killing it. */
  readonly graceSeconds?: number
  /** With `cancel`: nobody has cancelled, the time of these tasks is over. */
  readonly isTimeLimit?: true
}

export function attemptsOf(runs: readonly TaskRun[]): readonly AttemptId[] {
  return runs.map((run) => ({ taskId: run.id, attempt: run.attempt }))
}

interface Cut {
  readonly graph: Graph
  readonly epoch: number
  readonly policy: Policy
}

/** Cut work into actions of one executor and one place each, as large as the executor takes them. */
export function chunkAttempts(cut: Cut, kind: Action['kind'], tasks: readonly AttemptId[]): readonly Action[] {
  const byExecutor = Map.groupBy(tasks, (one) => (cut.graph.tasks[one.taskId] as Task).executor)
  return [...byExecutor].flatMap(([executor, all]) => {
    const sizes = cut.policy.chunks[executor]
    const size = sizes?.[kind === 'recover' ? 'submit' : kind] ?? 25
    const places = Map.groupBy(all, (one) => sizes?.placeOf?.((cut.graph.tasks[one.taskId] as Task).options) ?? '')
    return [...places].flatMap(([place, there]) =>
      Array.from({ length: Math.ceil(there.length / size) }, (_, n) => ({
        kind,
        executor,
        ...(place !== '' && { place }),
        epoch: cut.epoch,
        tasks: there.slice(n * size, (n + 1) * size),
      })),
    )
  })
}

/** The `cancel` actions of a kill pass. */
export function chunkActions(cut: Cut, groups: readonly KillGroup[]): readonly Action[] {
  return groups.flatMap(({ runs, ...how }) =>
    chunkAttempts(cut, 'cancel', attemptsOf(runs)).map((action) => ({ ...action, ...how })),
  )
}
