import type { JobNews } from '../../back-ends/executor.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { changeOf, lineOf } from './note-observation.ts'

/**
 * Write down what back ends told by themselves, and wake the dispatches it is about.
 *
 * Guarantees: news that comes twice, late or out of order changes nothing, since a run never goes back. News about a
 * job whose handle is not stored yet is dropped: the next poll says the same.
 */
export async function noteJobNews(context: Context, news: readonly JobNews[]): Promise<void> {
  const byDispatch = Map.groupBy(news, ({ ref }) => ref.dispatchId)
  for (const [dispatchId, about] of byDispatch) await noteOne(context, dispatchId, about)
}

async function noteOne(context: Context, dispatchId: string, news: readonly JobNews[]): Promise<void> {
  const { store } = context
  const byTask = [...Map.groupBy(news, ({ ref }) => ref.taskId)]
  const found = await store.readRuns(
    dispatchId,
    byTask.map(([id]) => id),
  )
  // Nothing of it was ever claimed: it may not even be a dispatch of ours.
  if (found.length === 0) return
  const runs = new Map(found.map((run) => [run.id, run]))
  const { tasks } = await store.readGraph(dispatchId)
  const lines = await concurrently(context.concurrency, byTask, async ([taskId, told]) => {
    const run = runs.get(taskId)
    const { handle } = run ?? {}
    if (!run || !handle) return undefined
    const ours = told.filter(({ ref, isOf }) => ref.attempt === run.attempt && isOf(handle))
    const last = ours.find(({ seen }) => isEnd(seen.state)) ?? ours.at(-1)
    const change = last && changeOf(run, last.seen, context.now())
    const unlessTimedOut = run.timedOutAt === undefined
    const attempt = { taskId, attempt: run.attempt, unlessTimedOut }
    if (!change || !(await store.noteRun(dispatchId, attempt, change))) return undefined
    return lineOf(tasks[taskId]?.name ?? '', change)
  })
  const said = lines.filter((line) => line !== undefined)
  if (said.length === 0) return
  await store.addHistory(dispatchId, context.now(), said)
  await context.executions.wake(dispatchId)
}

function isEnd(state: JobNews['seen']['state']): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled'
}
