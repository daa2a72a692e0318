import type { Handle } from '../../back-ends/executor.ts'
import { isBackendError } from '../../domain/errors.ts'
import type { Graph, Task } from '../../domain/graph/graph.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { jobQuery } from './job-spec.ts'
import { timedOut } from './note-observation.ts'
import { isClosed, stopClosed } from './stop-if-closed.ts'
import { packName } from './submit-pack.ts'
import type { Work } from './work.ts'

/**
 * Look for jobs by name: of claims that have no handle, and of handles that their back end does not know.
 *
 * A claim without a job is given up only when its lease was over before the look began, so that no submit in flight
 * can still make one.
 */
export async function recoverJobs(context: Context, work: Work): Promise<readonly string[]> {
  const { store } = context
  const graph = await store.readGraph(work.dispatchId)
  const attempts = new Map(work.action.tasks.map(({ taskId, attempt }) => [taskId, attempt]))
  const runs = await store.readRuns(work.dispatchId, [...attempts.keys()])
  const find = finder(context, work, graph)
  const lines = await concurrently(
    context.concurrency,
    runs.filter((run) => run.attempt === attempts.get(run.id)),
    (run) => recoverOne(context, work, graph.tasks[run.id] as Task, run, find),
  )
  return lines.filter((line) => line !== undefined)
}

async function recoverOne(
  context: Context,
  work: Work,
  task: Task,
  run: TaskRun,
  find: Find,
): Promise<string | undefined> {
  const { store, now, policy } = context
  const { dispatchId, executor } = work
  const ref = { taskId: run.id, attempt: run.attempt }
  const isClaim = run.state === 'submitting'
  const isMissing = run.missingSince !== undefined && (run.state === 'queued' || run.state === 'running')
  if (!isClaim && !isMissing) return undefined
  const isOver = isMissing || now() >= run.claimedAt + policy.leaseSeconds * 1000

  const query = jobQuery(dispatchId, task, run.attempt)
  let handle: Handle | undefined
  try {
    handle = await find(run)
    // A host may still have the folder of a job that is gone: what is found must also be known.
    if (isMissing && handle && (await executor.poll([handle]))[0]?.state === 'lost') handle = undefined
    // A pack's name is not one task's to forestall: its other members may run.
    const isAlone = run.packLeader === undefined
    if (isClaim && isAlone && !handle && executor.forestall) {
      if (isClosed(await store.readDispatch(dispatchId), run.id)) handle = await executor.forestall(query)
      // A submit that nobody has heard of since may still be on its way to its host: the next attempt would have a twin.
      else if (isOver) await executor.forestall(query)
    }
  } catch (error) {
    if (!isBackendError(error)) throw error
    context.log({ decision: 'find-failed', dispatchId, task: task.name, message: error.message })
    return undefined
  }
  if (!handle) {
    if (!isOver) return undefined
    const message = isClaim ? 'its submission came to nothing' : `${executor.name} has no such job any more`
    const failure = { code: 'Lost', message, retryable: true, source: executor.name }
    const end =
      run.timedOutAt === undefined
        ? { state: 'lost' as const, failure }
        : { state: 'failed' as const, failure: timedOut }
    const unlessTimedOut = run.timedOutAt === undefined
    if (!(await store.noteRun(dispatchId, { ...ref, unlessTimedOut }, { ...end, endedAt: now() }))) return undefined
    return `${task.name}: attempt ${run.attempt} is lost, ${message}`
  }
  const isKept = isClaim
    ? await store.storeHandle(dispatchId, ref, handle, now())
    : await store.noteRun(dispatchId, ref, { handle, missingSince: null })
  if (!isKept) return undefined
  await stopClosed(context, work, [{ taskId: run.id, handle }])
  return `${task.name}: found its job again`
}

type Find = (run: TaskRun) => Promise<Handle | undefined>

/** Looks for jobs by name; for the members of a pack by the name of their job, once for all of them. */
function finder({ store }: Context, { dispatchId, executor }: Work, graph: Graph): Find {
  const query = (taskId: number, attempt: number) => jobQuery(dispatchId, graph.tasks[taskId] as Task, attempt)
  const packs = new Map<number, Promise<ReadonlyMap<number, Handle | undefined>>>()

  const findPack = async (leader: number) => {
    const taskIds = (await store.readPack(dispatchId, leader)) ?? []
    const queries = taskIds.map((id) => query(id, 1))
    const handles =
      executor.packing && queries.length > 1
        ? await executor.packing.find(queries, packName(dispatchId, leader))
        : await Promise.all(queries.map((one) => executor.find(one)))
    return new Map(taskIds.map((id, index) => [id, handles[index]]))
  }
  return async ({ id, attempt, packLeader }) => {
    if (packLeader === undefined) return executor.find(query(id, attempt))
    const found = packs.get(packLeader) ?? findPack(packLeader)
    packs.set(packLeader, found)
    return (await found).get(id)
  }
}
