import type { Found, Handle, SoughtJob } from '../../back-ends/executor.ts'
import { isBackendError } from '../../domain/errors.ts'
import type { Graph, Task } from '../../domain/graph/graph.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { jobQuery } from './job-spec.ts'
import { timedOut } from './note-observation.ts'
import { rotate } from './rotate.ts'
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
  const asked = runs.filter((run) => run.attempt === attempts.get(run.id))
  const current = rotate(asked.filter(isSought), context.now())
  // Their submits were quicker: a canceller that has seen no handle must not answer before these are asked to stop.
  const arrived = asked.flatMap((run) =>
    run.handle && !isSought(run) && !isEnded(run) ? [{ taskId: run.id, handle: run.handle }] : [],
  )
  await stopClosed(context, work, arrived)
  const find = finder(context, work, graph, current)
  const lines = await concurrently(context.concurrency, current, (run) =>
    recoverOne(context, work, graph.tasks[run.id] as Task, run, find),
  )
  return lines.filter((line) => line !== undefined)
}

/** A claim that has no handle, or a job that its back end does not know. */
const isSought = ({ state, missingSince }: TaskRun): boolean =>
  state === 'submitting' || (missingSince !== undefined && (state === 'queued' || state === 'running'))

const isEnded = ({ state }: TaskRun): boolean => state !== 'queued' && state !== 'running'

async function recoverOne(
  context: Context,
  work: Work,
  task: Task,
  run: TaskRun,
  find: Find,
): Promise<string | undefined> {
  const { store, now, policy } = context
  const { dispatchId, executor, deadline } = work
  const ref = { taskId: run.id, attempt: run.attempt }
  const isClaim = run.state === 'submitting'
  const isMissing = !isClaim
  // Found by nobody's fault: the next look begins with another.
  if (now() >= deadline.at) return undefined
  const isOver = isMissing || now() >= run.claimedAt + policy.leaseSeconds * 1000

  const query = jobQuery(dispatchId, task, run.attempt)
  let handle: Handle | undefined
  try {
    const found = await find(run)
    if (found.outcome === 'unknown') {
      // What was looked through before the lease was over has to be once more: its job may come yet.
      if (isClaim && isOver && found.searchedTo !== undefined)
        await store.noteRun(dispatchId, ref, { searchedTo: found.searchedTo })
      if (found.message !== undefined)
        context.log({ decision: 'find-failed', dispatchId, task: task.name, message: found.message })
      return undefined
    }
    handle = found.outcome === 'found' ? found.handle : undefined
    // A host may still have the folder of a job that is gone: what is found must also be known.
    if (isMissing && handle && (await executor.poll([handle], deadline))[0]?.state === 'lost') handle = undefined
    // A pack's name is not one task's to forestall: its other members may run.
    const isAlone = run.packLeader === undefined
    if (isClaim && isAlone && !handle && executor.forestall && isClosed(await store.readDispatch(dispatchId), run.id))
      handle = await executor.forestall(query, deadline)
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

type Find = (run: TaskRun) => Promise<Found>

/** Clocks that differ by more than this are past belief; a host's may be off by minutes. */
const clockAllowanceMs = 15 * 60_000

/**
 * Looks for jobs by name: for all that are alone at once, and for the members of a pack by the name of their job, once for all of
 * them.
 */
function finder(
  { store, now, policy }: Context,
  { dispatchId, executor, deadline }: Work,
  graph: Graph,
  runs: readonly TaskRun[],
): Find {
  const query = (taskId: number, attempt: number) => jobQuery(dispatchId, graph.tasks[taskId] as Task, attempt)
  const packs = new Map<number, Promise<ReadonlyMap<number, Found>>>()

  const sought = ({ id, attempt, state, claimedAt, searchedTo }: TaskRun): SoughtJob => {
    const from = (state === 'submitting' ? searchedTo : undefined) ?? claimedAt - clockAllowanceMs
    const to = Math.min(now(), claimedAt + policy.leaseSeconds * 1000) + clockAllowanceMs
    return { ...query(id, attempt), madeBetween: [from, Math.max(from, to)] }
  }
  const findAlone = async (): Promise<ReadonlyMap<number, Found>> => {
    const alone = runs.filter((run) => run.packLeader === undefined)
    const found = await executor.find(alone.map(sought), deadline)
    return new Map(alone.map(({ id }, index) => [id, found[index] as Found]))
  }
  let alone: ReturnType<typeof findAlone> | undefined

  const findPack = async (leader: number): Promise<ReadonlyMap<number, Found>> => {
    const taskIds = (await store.readPack(dispatchId, leader)) ?? []
    const queries = taskIds.map((id) => query(id, 1))
    if (!executor.packing || queries.length < 2) {
      const [run] = runs.filter((one) => one.packLeader === leader)
      const times = run ? sought(run).madeBetween : ([0, now()] as const)
      const found = await executor.find(
        queries.map((one) => ({ ...one, madeBetween: times })),
        deadline,
      )
      return new Map(taskIds.map((id, index) => [id, found[index] as Found]))
    }
    const handles = await executor.packing.find(queries, packName(dispatchId, leader), deadline)
    return new Map(
      taskIds.map((id, index): [number, Found] => {
        const handle = handles[index]
        return [id, handle ? { outcome: 'found', handle } : { outcome: 'none' }]
      }),
    )
  }
  return async ({ id, packLeader }) => {
    if (packLeader === undefined) {
      alone ??= findAlone()
      return (await alone).get(id) ?? { outcome: 'none' }
    }
    const found = packs.get(packLeader) ?? findPack(packLeader)
    packs.set(packLeader, found)
    return (await found).get(id) ?? { outcome: 'none' }
  }
}
