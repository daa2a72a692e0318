import { NotFound } from '../../domain/errors.ts'
import { sublattice } from '../../domain/graph/graph.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from './find-dispatch.ts'
import { readTask } from './read-task.ts'
import { resultUriOf } from './result-uri.ts'
import { tasksOf } from './views.ts'

/** What a task has left. */
export interface Result {
  readonly uri: string
  readonly bytes: Uint8Array
}

/** In base64 it fits the answer of a Lambda function. Source: Lambda developer guide, "Quotas": 6 MB an answer. */
const limitBytes = 4 * 1024 * 1024

/**
 * The result of a task, or of a dispatch: that of its post-processing task.
 *
 * Errors: NotFound where there is none (yet), BackendRejected for one above 4 MiB; both say why.
 */
export async function readResult(context: Context, caller: Caller, id: string, taskId?: number): Promise<Result> {
  const dispatch = await findDispatch(context.store, caller, id)
  const graph = await context.store.readGraph(dispatch.id)
  const wanted = taskId ?? tasksOf(dispatch, graph).find(({ postProcess }) => postProcess)?.id
  if (wanted === undefined)
    throw new NotFound(
      `dispatch ${dispatch.id} has no post-processing task, whose result would be its own: name a task`,
    )
  const { task, state, run } = await readTask(context, dispatch, graph, wanted)
  if (state !== 'succeeded' || !run) throw new NotFound(`task ${task.name} has no result: it is ${state}`)
  const uri = resultUriOf(context, dispatch.id, graph, task, run.attempt)
  const bytes = await context.readResult(uri, limitBytes)
  if (bytes) return { uri, bytes }
  const who = task.executor === sublattice ? 'the post-processing of its dispatch' : 'it'
  throw new NotFound(`task ${task.name} has succeeded, but ${who} left no result at ${uri}`)
}
