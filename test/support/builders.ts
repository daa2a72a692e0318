import { emptyBits, setBit } from '../../lib/domain/bits.ts'
import type { BulkCancellation } from '../../lib/domain/bulk/bulk.ts'
import type { Cancellation } from '../../lib/domain/cancellation.ts'
import type { Dispatch } from '../../lib/domain/dispatch.ts'
import type { Fence } from '../../lib/domain/fence.ts'
import type { Graph, Task } from '../../lib/domain/graph/graph.ts'
import { nothingSettled, settle } from '../../lib/domain/settled.ts'
import type { Outcome, TaskRun } from '../../lib/domain/task-run.ts'
import type { Random } from './random.ts'
import { randomGraph } from './random-graph.ts'

/** The moment at which everything below was made, in epoch milliseconds. */
export const someTime = 1_700_000_000_000

export const someId = '01234567-89ab-8def-8123-456789abcdef'

/** A graph whose tasks get their ids from their places. */
export function aGraph(tasks: readonly Partial<Task>[] = [{}]): Graph {
  return {
    name: 'a graph',
    tags: {},
    tasks: tasks.map((task, id) => ({ id, name: `task-${id}`, needs: [], executor: 'batch', options: {}, ...task })),
  }
}

/** A graph whose needs point anywhere, but in no circle. */
export function aRandomGraph(random: Random, count: number): Graph {
  return aGraph(randomGraph(random, count, ['batch', 'ssh']).tasks as readonly Partial<Task>[])
}

/** The scope of a fence over some of `taskCount` tasks. */
export function aScope(ids: readonly number[], taskCount: number): Uint8Array {
  const scope = emptyBits(taskCount)
  for (const id of ids) setBit(scope, id)
  return scope
}

/** A dispatch that runs; `outcomes` are what is settled of it. */
export function aDispatch({
  outcomes = {},
  fences = [],
  ...rest
}: Partial<Omit<Dispatch, 'fences'>> & {
  readonly outcomes?: Readonly<Record<number, Outcome>>
  readonly fences?: readonly Fence[]
} = {}): Dispatch {
  const taskCount = rest.taskCount ?? 1
  const byId = new Map(Object.entries(outcomes).map(([id, outcome]) => [Number(id), outcome]))
  return {
    id: someId,
    name: 'a dispatch',
    owner: 'ada',
    tags: {},
    taskCount,
    status: 'running',
    createdAt: someTime,
    ...settle({ settled: nothingSettled(taskCount) }, byId, taskCount),
    fences: Object.fromEntries(fences.map((fence) => [fence.id, fence])),
    epoch: 1,
    version: 1,
    ...rest,
  }
}

/** A fence over the whole dispatch. */
export function aFence(changes: Partial<Fence> = {}): Fence {
  return {
    id: 'fence-1',
    scope: 'all',
    mode: 'graceful',
    graceSeconds: 30,
    reason: 'enough',
    at: someTime,
    abandoned: 0,
    ended: {},
    ...changes,
  }
}

/** A first attempt that runs, and that has a handle unless it is `submitting` or `released`. */
export function aRun(changes: Partial<TaskRun> = {}): TaskRun {
  const state = changes.state ?? 'running'
  return {
    id: 0,
    attempt: 1,
    executor: 'batch',
    state,
    live: true,
    claimId: 'claim-1',
    claimedAt: someTime,
    ...(state !== 'submitting' && state !== 'released' && { handle: { id: `job-${changes.id ?? 0}` } }),
    ...changes,
  }
}

/** The record of a cancel of a whole dispatch. */
export function aCancellation(changes: Partial<Cancellation> = {}): Cancellation {
  return {
    id: 'cancellation-1',
    dispatchId: someId,
    mode: 'graceful',
    graceSeconds: 30,
    reason: 'enough',
    actor: 'ada',
    source: 'api',
    at: someTime,
    ...changes,
  }
}

/** The record of a cancel of one dispatch by a selector. */
export function aBulk(changes: Partial<BulkCancellation> = {}): BulkCancellation {
  return {
    id: 'bulk-1',
    selector: { tags: { project: 'h2' }, owner: 'ada' },
    mode: 'graceful',
    graceSeconds: 30,
    reason: 'enough',
    actor: 'ada',
    isAdmin: false,
    source: 'api',
    at: someTime,
    dispatchIds: [someId],
    ...changes,
  }
}
