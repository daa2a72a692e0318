import type { PageView, TaskView } from '../../schema/api.ts'
import type { PageRequest } from '../../store/store.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from './find-dispatch.ts'
import { offsetOf } from './offset-of.ts'
import { resultUriOf } from './result-uri.ts'
import { tasksOf, taskView, viewedAt } from './views.ts'

/** A page of a dispatch's tasks, in id order. Errors: NotFound, also for others' dispatches. */
export async function listTasks(
  context: Context,
  caller: Caller,
  idOrPrefix: string,
  { limit, cursor }: PageRequest,
): Promise<PageView<TaskView>> {
  const { store } = context
  const dispatch = await findDispatch(store, caller, idOrPrefix)
  const graph = await store.readGraph(dispatch.id)
  const from = offsetOf(cursor)
  const all = tasksOf(dispatch, graph)
  const tasks = all.slice(from, from + limit)
  const ids = tasks.map((task) => task.id)
  const runOf = new Map((await store.readRuns(dispatch.id, ids)).map((run) => [run.id, run]))
  const at = viewedAt(context)
  const items = tasks.map((task) =>
    taskView(dispatch, task, runOf.get(task.id), at, (attempt) =>
      resultUriOf(context, dispatch.id, graph, task, attempt),
    ),
  )
  return { items, ...(from + limit < all.length && { cursor: String(from + limit) }) }
}
