import type { LogPlace } from '../../back-ends/executor.ts'
import { Conflict, NotFound } from '../../domain/errors.ts'
import { sublattice } from '../../domain/graph/graph.ts'
import { outcomeOf } from '../../domain/settled.ts'
import type { LogView } from '../../schema/api.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { findDispatch } from './find-dispatch.ts'
import { type FoundTask, readTask } from './read-task.ts'

/**
 * A piece of what the job of a task has written.
 *
 * Errors: Conflict while there is no job yet, NotFound where there never will be one or its back end keeps no log.
 */
export async function readLog(
  context: Context,
  caller: Caller,
  id: string,
  taskId: number,
  place: LogPlace,
): Promise<LogView> {
  const dispatch = await findDispatch(context.store, caller, id)
  const found = await readTask(context, dispatch, await context.store.readGraph(dispatch.id), taskId)
  const { task, run } = found
  const hasEnded = outcomeOf(dispatch, taskId) !== undefined
  if (!run?.handle)
    throw hasEnded ? neverHadOne(found) : new Conflict(`task ${task.name} has no job yet: it is ${found.state}`)
  if (run.executor === sublattice) {
    const child = String(run.handle.dispatchId)
    throw new NotFound(`the job of task ${task.name} is dispatch ${child}: look at the logs of its tasks`)
  }
  const executor = context.executors.get(run.executor)
  if (!executor?.readLog) throw new NotFound(`${run.executor} keeps no log that Quench can read`)
  return { attempt: run.attempt, hasEnded, ...(await executor.readLog(run.handle, place)) }
}

function neverHadOne({ task, state }: FoundTask): NotFound {
  return new NotFound(`task ${task.name} never had a job, so there is no log: it was ${state}`)
}
