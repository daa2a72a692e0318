import type { Context } from '../../app/context.ts'
import type { Executor, ListedJob } from '../../back-ends/executor.ts'
import { isBackendError } from '../../domain/errors.ts'
import type { TaskRun } from '../../domain/task-run.ts'

/** What a sweep over the back ends' jobs found. */
export interface JobSweep {
  /** Jobs that no attempt waits for, and that were asked to stop. */
  readonly leakedJobs: number
  /** Jobs with names of ours that are no dispatch's of this table: another deployment's. Left alone. */
  readonly foreignJobs: number
}

/**
 * Stop the jobs that nobody waits for: twins of a submit whose answer was lost, and what came after an attempt was given
 * up.
 *
 * The back end is read before the store: a job that is listed had been claimed by then. A dispatch outlives its jobs by
 * a year, so a job of a dispatch that the store does not know belongs to another deployment on the same queue.
 */
export async function sweepJobs(context: Context): Promise<JobSweep> {
  const swept = await Promise.all([...context.executors.values()].map((executor) => sweepBackEnd(context, executor)))
  const sum = (count: (one: JobSweep) => number) => swept.reduce((total, one) => total + count(one), 0)
  return { leakedJobs: sum((one) => one.leakedJobs), foreignJobs: sum((one) => one.foreignJobs) }
}

/** One back end for itself: what hangs keeps nobody from looking for what leaked elsewhere. */
async function sweepBackEnd(context: Context, executor: Executor): Promise<JobSweep> {
  let leakedJobs = 0
  let foreignJobs = 0
  const jobs = await tryList(context, executor)
  for (const [dispatchId, ours] of Map.groupBy(jobs, ({ ref }) => ref.dispatchId)) {
    if (!(await context.store.readDispatch(dispatchId))) {
      foreignJobs += ours.length
      continue
    }
    const live = await context.store.readLive(dispatchId)
    const leaked = ours.filter((job) => !live.some((run) => isWaitingFor(run, job)))
    leakedJobs += leaked.length
    if (leaked.length > 0) await stop(context, executor, dispatchId, leaked)
  }
  return { leakedJobs, foreignJobs }
}

/** A claim without a handle waits for the job of its name, which for one of a pack is that of its leader: `recover` will find it. */
function isWaitingFor(run: TaskRun, { ref, isOf }: ListedJob): boolean {
  if (run.state === 'submitting') return (run.packLeader ?? run.id) === ref.taskId && run.attempt === ref.attempt
  return (run.state === 'queued' || run.state === 'running') && run.handle !== undefined && isOf(run.handle)
}

/** Two calls of a sweep, which has 290 s. */
const callSeconds = 60

const deadlineOf = ({ deadlineAt, now }: Context) => deadlineAt(now() + callSeconds * 1000)

async function tryList(context: Context, executor: Executor): Promise<readonly ListedJob[]> {
  try {
    return (await executor.listJobs?.(deadlineOf(context))) ?? []
  } catch (error) {
    if (!isBackendError(error)) throw error
    context.log({ decision: 'list-failed', executor: executor.name, message: error.message })
    return []
  }
}

async function stop(
  context: Context,
  executor: Executor,
  dispatchId: string,
  leaked: readonly ListedJob[],
): Promise<void> {
  const tasks = leaked.map(({ ref }) => `${ref.taskId}-${ref.attempt}`)
  context.log({ decision: 'stop-leaked', dispatchId, executor: executor.name, tasks })
  try {
    const reason = 'no attempt of a dispatch waits for this job'
    await executor.cancel(
      leaked.map(({ handle }) => handle),
      { mode: 'force', reason },
      deadlineOf(context),
    )
    const line = `stopped ${leaked.length} leaked jobs of ${executor.name}: ${tasks.join(', ')}`
    await context.store.addHistory(dispatchId, context.now(), [line])
  } catch (error) {
    if (!isBackendError(error)) throw error
    context.log({ decision: 'stop-failed', dispatchId, executor: executor.name, message: error.message })
  }
}
