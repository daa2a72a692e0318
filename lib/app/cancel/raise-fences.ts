import { covers } from '../../domain/cancel/cancel-scope.ts'
import type { Cancellation } from '../../domain/cancellation.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { isRefusal } from '../../domain/errors.ts'
import type { Fence } from '../../domain/fence.ts'
import { type Graph, sublattice } from '../../domain/graph/graph.ts'
import { jobName } from '../../domain/job-name.ts'
import { outcomeOf } from '../../domain/settled.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { readLiveOf } from '../read-live-of.ts'
import { stableId } from '../stable-id.ts'
import { childIdOf, putTombstone } from '../submit/tombstone.ts'
import { raiseFence } from './raise-fence.ts'

/** A dispatch of the tree whose fence is written, and what was live in it after that. */
export interface FencedDispatch {
  readonly dispatch: Dispatch
  readonly graph: Graph
  /** Read after the fence was written: a claim whose owner missed the fence is in it. */
  readonly live: readonly TaskRun[]
  readonly scope: Fence['scope']
  readonly record: Cancellation
}

interface RaiseOptions {
  readonly leavesPass?: boolean
  readonly version?: number | undefined
}

/** Fences of one level of the tree that are written side by side. */
const fencesAtOnce = 16

/**
 * Write the fences of a cancellation: over its scope, and over every child dispatch in it, their children, and so on. Nothing
 * else is done, so nothing that hangs can hold a fence up.
 *
 * A child that is about to be born is met by a tombstone: its submit was claimed before our read, or sees our fence. Each child
 * has a record of its own, whose id follows from its parent's: a canceller that died half-way is followed by one that
 * goes on where it ended.
 *
 * Shape: the dispatch itself first, then its descendants that still run. Undefined as `raiseFence`.
 */
export async function raiseFences(
  context: Context,
  record: Cancellation,
  scope: Fence['scope'],
  options: RaiseOptions = {},
): Promise<readonly [FencedDispatch, ...FencedDispatch[]] | undefined> {
  const dispatch = await raiseFence(context, record, scope, options)
  if (!dispatch) return undefined
  const graph = await context.store.readGraph(dispatch.id)
  const own = { dispatch, graph, scope: dispatch.fences[record.id]?.scope ?? scope, record }
  if (dispatch.status !== 'running') return [{ ...own, live: [] }]
  const live = await readLiveOf(context.store, dispatch)
  const root = { ...own, live }
  return [root, ...(await fenceChildren(context, root, options))]
}

async function fenceChildren(
  context: Context,
  { dispatch, live, scope, record }: FencedDispatch,
  { leavesPass = false }: RaiseOptions,
): Promise<readonly FencedDispatch[]> {
  const runs = live.filter(
    (run) =>
      run.executor === sublattice &&
      (run.state === 'submitting' || run.state === 'queued' || run.state === 'running') &&
      covers(scope, run.id) &&
      outcomeOf(dispatch, run.id) === undefined,
  )
  const trees = await concurrently(fencesAtOnce, runs, async (run) => {
    const child = await readChild(context, dispatch, run)
    if (child?.status !== 'running') return []
    try {
      const order = await context.store.putCancellation(childRecord(context, child, record))
      return (await raiseFences(context, order, 'all', { leavesPass })) ?? []
    } catch (error) {
      if (!isRefusal(error)) throw error
      // The parent's kill passes ask it again.
      context.log({ decision: 'fence-refused', dispatchId: child.id, message: error.message })
      return []
    }
  })
  return trees.flat().filter((one) => one.dispatch.status === 'running')
}

/** The dispatch behind a run; where it is not there yet, it never will be. */
async function readChild(context: Context, parent: Dispatch, run: TaskRun): Promise<Dispatch | undefined> {
  const ref = { dispatchId: parent.id, taskId: run.id, attempt: run.attempt }
  const childId = run.handle ? String(run.handle.dispatchId) : childIdOf(jobName(ref))
  const child = await context.store.readDispatch(childId)
  if (child || run.handle) return child
  return (await putTombstone(context, childId, parent, ref)) ? undefined : context.store.readDispatch(childId)
}

/** What a child's history knows of its parent's cancellation. A mode is asked for once. */
export function childRecord(
  { now }: Pick<Context, 'now'>,
  child: Dispatch,
  { mode, graceSeconds, reason }: Pick<Cancellation, 'mode' | 'graceSeconds' | 'reason'>,
): Cancellation {
  const actor = `dispatch ${child.parent?.dispatchId}`
  return {
    id: stableId('cancellation', child.id, actor, mode),
    dispatchId: child.id,
    ...{ mode, graceSeconds, reason, actor, source: 'parent', at: now(), idempotencyKey: mode },
  }
}
