import type { Observation } from '../../back-ends/executor.ts'
import { isBackendError } from '../../domain/errors.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { changeOf, lineOf } from './note-observation.ts'
import { readHandled } from './read-handled.ts'
import { rotate } from './rotate.ts'
import type { Work } from './work.ts'

/** Ask the back end about the action's jobs, and write down what is new. */
export async function pollJobs(context: Context, work: Work): Promise<readonly string[]> {
  const { store, now } = context
  const runs = rotate(await readHandled(store, work), now())
  if (runs.length === 0) return []
  let observations: readonly Observation[]
  try {
    observations = await work.executor.poll(
      runs.map((run) => run.handle),
      work.deadline,
    )
  } catch (error) {
    if (!isBackendError(error)) throw error
    context.log({
      decision: 'poll-failed',
      dispatchId: work.dispatchId,
      executor: work.executor.name,
      message: error.message,
    })
    return []
  }
  const { tasks } = await store.readGraph(work.dispatchId)
  const lines = await concurrently(context.concurrency, runs, async (run, index) => {
    const seen = observations[index]
    const change = seen && changeOf(run, seen, now())
    const unlessTimedOut = run.timedOutAt === undefined
    const attempt = { taskId: run.id, attempt: run.attempt, unlessTimedOut }
    if (!change || !(await store.noteRun(work.dispatchId, attempt, change))) return undefined
    return lineOf(tasks[run.id]?.name ?? '', change)
  })
  return lines.filter((line) => line !== undefined)
}
