import type { CancelOutcome, JobNews, Observation } from '../../back-ends/executor.ts'
import type { ChildDispatches } from '../../back-ends/sublattice/child-dispatches.ts'
import { addAmounts } from '../../domain/budget/amounts.ts'
import { wholeFence } from '../../domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { Conflict, InvalidInput, NotFound, type Problem } from '../../domain/errors.ts'
import type { Failure } from '../../domain/failure.ts'
import { graphLimits } from '../../domain/graph/graph.ts'
import { countSettled, nothingSettled } from '../../domain/settled.ts'
import { readSpend } from '../budget/read-spend.ts'
import { cancelDispatch } from '../cancel/cancel-dispatch.ts'
import type { Context } from '../context.ts'
import { stableId } from '../stable-id.ts'
import { checkGraph } from './check-graph.ts'
import { startDispatch } from './submit-dispatch.ts'

/** Children are asked to end as their parents are; how long one waits for a job of its own is said by this. */
const childGraceSeconds = 30

/** The dispatches behind sublattice tasks. Owner and depth come from the parent. */
export function createChildDispatches(context: () => Context): ChildDispatches {
  const readParent = async (dispatchId: string): Promise<Dispatch> => {
    const parent = await context().store.readDispatch(dispatchId)
    if (!parent) throw new NotFound(`there is no dispatch ${dispatchId}`)
    return parent
  }

  const cancel: ChildDispatches['cancel'] = async (childId, { mode, reason }): Promise<CancelOutcome> => {
    const child = await context().store.readDispatch(childId)
    if (!child) return { outcome: 'unknown' }
    if (child.status !== 'running') return { outcome: 'ended' }
    const actor = { id: `dispatch ${child.parent?.dispatchId}`, isAdmin: true }
    const order = { reason, mode, graceSeconds: childGraceSeconds, dryRun: false }
    try {
      await cancelDispatch(context(), actor, childId, order, { source: 'parent', idempotencyKey: mode })
      return { outcome: 'accepted' }
    } catch (error) {
      if (error instanceof Conflict) return { outcome: 'failed', message: error.message }
      throw error
    }
  }

  return {
    idOf: (name) => stableId('child', name),

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
      const { store, now } = context()
      const { owner, parent: grandparent } = await readParent(parent.dispatchId)
      const tombstone: Dispatch = {
        id: childId,
        name: 'never started',
        owner,
        tags: {},
        taskCount: 0,
        status: 'cancelled',
        createdAt: now(),
        endedAt: now(),
        settled: nothingSettled(0),
        fences: {},
        epoch: 1,
        parent: { ...parent, depth: (grandparent?.depth ?? 0) + 1 },
        version: 1,
      }
      const isFirst = await store.createDispatch(tombstone)
      if (!isFirst) await cancel(childId, { mode: 'force', reason: 'its parent was cancelled before it had started' })
    },
  }
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
