import { covers } from '../../../lib/domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { Graph } from '../../../lib/domain/graph/graph.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import { dispatchFromItem, keys, runFromItem } from '../../../lib/store/dynamo/items.ts'
import type { Item } from './expressions.ts'
import { isOver, type Job } from './pretend-jobs.ts'
import { keyOf, type Table } from './table.ts'
import type { WorldState } from './world-state.ts'

const dispatches = new WeakMap<Item, Dispatch>()
const runs = new WeakMap<Item, TaskRun>()

export function dispatchIn(table: Table, dispatchId: string): Dispatch | undefined {
  const item = table.get(keyOf(keys.meta(dispatchId)))
  return item && asDispatch(item)
}

function asDispatch(item: Item): Dispatch {
  const known = dispatches.get(item) ?? dispatchFromItem(item)
  dispatches.set(item, known)
  return known
}

export function runIn(table: Table, dispatchId: string, taskId: number): TaskRun | undefined {
  const item = table.get(keyOf(keys.task(dispatchId, taskId)))
  if (!item) return undefined
  const known = runs.get(item) ?? runFromItem(item)
  runs.set(item, known)
  return known
}

export function graphIn(table: Table, dispatchId: string): Graph {
  return JSON.parse(String(table.get(keyOf(keys.graph(dispatchId, 0)))?.json))
}

export function dispatchesIn(table: Table): readonly Dispatch[] {
  const items = [...table.values()].filter((item) => item.sk === 'META')
  return items.map(asDispatch).sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Whether a cancellation that no redrive has taken away covers the task. */
export function isCovered({ notes }: WorldState, dispatchId: string, taskId: number): boolean {
  return Object.values(notes.fences).some(
    (fence) => fence.dispatchId === dispatchId && !fence.isLifted && covers(fence.scope, taskId),
  )
}

/** The jobs that some attempt stands for, as long as their ends are not known. */
export function hasAttempt({ table }: WorldState, job: Job): boolean {
  const run = runIn(table, job.dispatchId, job.taskId)
  if (!run || run.attempt !== job.attempt) return false
  return run.handle ? run.handle.id === job.id : run.state === 'submitting'
}

export function liveJobs({ jobs }: WorldState): readonly Job[] {
  return [...jobs.values()].filter((job) => !isOver(job))
}
