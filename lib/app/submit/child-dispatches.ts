import type { CancelMode, CancelOutcome, JobNews, Observation } from '../../back-ends/executor.ts'
import type { ChildDispatches } from '../../back-ends/sublattice/child-dispatches.ts'
import { addAmounts } from '../../domain/budget/amounts.ts'
import { wholeFence } from '../../domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { Conflict, InvalidInput, NotFound, type Problem } from '../../domain/errors.ts'
import type { Failure } from '../../domain/failure.ts'
import { graphLimits } from '../../domain/graph/graph.ts'
import { countSettled } from '../../domain/settled.ts'
import { readSpend } from '../budget/read-spend.ts'
import { childRecord, raiseFences } from '../cancel/raise-fences.ts'
import { startLoops } from '../cancel/start-loops.ts'
import type { Context } from '../context.ts'
import { checkGraph } from './check-graph.ts'
import { startDispatch } from './submit-dispatch.ts'
import { childIdOf, putTombstone } from './tombstone.ts'

/** Where a request does not say how long it waits from asking to killing. */
const childGraceSeconds = 30

/** The dispatches behind sublattice tasks. Owner and depth come from the parent. */
export function createChildDispatches(context: () => Context): ChildDispatches {
  const readParent = async (dispatchId: string): Promise<Dispatch> => {
    const parent = await context().store.readDispatch(dispatchId)
    if (!parent) throw new NotFound(`there is no dispatch ${dispatchId}`)
    return parent
  }

  const cancel: ChildDispatches['cancel'] = async (childId, { mode, reason, graceSeconds }): Promise<CancelOutcome> => {
    const { store } = context()
    const child = await store.readDispatch(childId)
    if (!child) return { outcome: 'unknown' }
    if (child.status !== 'running') return { outcome: 'ended' }
    if (isStopped(child, mode)) return { outcome: 'accepted' }
    const order = { mode, reason, graceSeconds: graceSeconds ?? childGraceSeconds }
    try {
      const record = await store.putCancellation(childRecord(context(), child, order))
      const tree = await raiseFences(context(), record, 'all', { leavesPass: true })
      if (tree) await startLoops(context(), tree)
      return { outcome: 'accepted' }
    } catch (error) {
      if (error instanceof Conflict) return { outcome: 'failed', message: error.message }
      throw error
    }
  }

  return {
    idOf: childIdOf,

    check: (graph): readonly Problem[] => {
      try {
        checkGraph(context(), graph)
        return []
      } catch (error) {
        if (error instanceof InvalidInput) return error.details
        throw error
      }
    },

    start: async ({ id, graph: input, resultUri }, parent) => {
      const { owner, tags, parent: grandparent } = await readParent(parent.dispatchId)
      const depth = (grandparent?.depth ?? 0) + 1
      if (depth > graphLimits.depth)
        throw new InvalidInput(`dispatches are nested at most ${graphLimits.depth} deep, this would be one more`)
      const graph = { ...checkGraph(context(), input), resultUri }
      await startDispatch(context(), graph, {
        id,
        owner,
        tags: { ...tags, ...graph.tags },
        parent: { ...parent, depth },
      })
    },

    exists: async (childId) => (await context().store.readDispatch(childId)) !== undefined,

    observe: async (childId) => {
      const child = await context().store.readDispatch(childId)
      if (!child) return { state: 'lost' }
      if (child.status !== 'running') return observeChild(child)
      const { settled, running, committed } = await readSpend(context(), child)
      return { ...observeChild(child), spent: [running, committed].reduce(addAmounts, settled) }
    },

    cancel,

    forestall: async (childId, parent) => {
      const maker = await readParent(parent.dispatchId)
      const isFirst = await putTombstone(context(), childId, maker, parent)
      if (!isFirst) await cancel(childId, { mode: 'force', reason: 'its parent was cancelled before it had started' })
    },
  }
}

/** A child that is fenced already is not cancelled again, only looked at: its own loops stop what is in it. */
function isStopped({ fences }: Dispatch, mode: CancelMode): boolean {
  return Object.values(fences).some((one) => one.scope === 'all' && (one.mode === 'force' || mode === 'graceful'))
}

/** A child's end as its parent hears of it at once; where this gets lost, the parent's next poll says the same. */
export function newsOfChild(child: Dispatch): JobNews | undefined {
  if (!child.parent) return undefined
  const { dispatchId, taskId, attempt } = child.parent
  return {
    ref: { dispatchId, taskId, attempt },
    seen: observeChild(child),
    isOf: (handle) => handle.dispatchId === child.id,
  }
}

function observeChild(child: Dispatch): Observation {
  const { status, createdAt, endedAt, spent } = child
  const failure = failureOf(child)
  return {
    state: failure ? 'failed' : status,
    startedAt: createdAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(spent && { spent }),
    ...(failure && { failure }),
  }
}

/** Why a child has failed, as its parent sees it: one that its own budget has stopped was cancelled by nobody up there. */
function failureOf({ id, status, fences, taskCount, ...settled }: Dispatch): Failure | undefined {
  const because = (code: string, message: string) => ({ code, message, retryable: false, source: 'sublattice' })
  const whole = wholeFence(fences)
  if (status === 'cancelled' && whole?.source === 'budget')
    return because('BudgetExceeded', `dispatch ${id}: ${whole.reason}`)
  if (status !== 'failed') return undefined
  if (whole) return because('TimedOut', `dispatch ${id}: ${whole.reason}`)
  const { failed, skipped } = countSettled(settled, taskCount)
  return because('ChildFailed', `dispatch ${id} failed: ${failed} failed, ${skipped} skipped of ${taskCount} tasks`)
}
