import type { Graph, Task } from '../domain/graph.ts'
import type { AttemptId } from '../domain/plan-turn.ts'
import { type Amounts, spentOn } from '../domain/spend.ts'
import type { Work } from './act.ts'
import { concurrently } from './concurrently.ts'
import type { Context } from './context.ts'
import { jobSpec } from './job-spec.ts'
import { submitClaimed } from './submit-claimed.ts'
import { submitPack } from './submit-pack.ts'

/** Submit the tasks of an action: each as a job of its own, or a pack as one. */
export async function submitJobs(context: Context, work: Work): Promise<readonly string[]> {
  if (work.action.pack !== undefined) return submitPack(context, work)
  const graph = await context.store.readGraph(work.dispatchId)
  const lines = await concurrently(context.concurrency, work.action.tasks, (attempt) =>
    submitOne(context, work, graph, attempt),
  )
  return lines.filter((line) => line !== undefined)
}

async function submitOne(
  context: Context,
  work: Work,
  graph: Graph,
  { taskId, attempt }: AttemptId,
): Promise<string | undefined> {
  const { dispatchId, executor } = work
  const task = graph.tasks[taskId] as Task
  const job = await jobSpec(context, dispatchId, graph, task, attempt)
  const earlierSpend = await spentBefore(context, dispatchId, graph, { taskId, attempt })
  const claim = {
    taskId,
    attempt,
    claimId: context.newId(),
    executor: executor.name,
    at: context.now(),
    ...(earlierSpend && { earlierSpend }),
  }
  if (!(await context.store.claim(dispatchId, claim))) return undefined

  const submission = await submitClaimed(context, work, [{ claim, job }], async () => [await executor.submit(job)])
  const { released, stopped, twins, problem } = submission
  if (released.length > 0) return `${task.name}: not started, it is cancelled or a newer execution has taken over`
  if (problem !== undefined) return `${task.name}: ${problem}`
  if (twins.length > 0) return `${task.name}: attempt ${attempt} had been given up, its late job is stopped`
  if (stopped.length > 0) return `${task.name}: stopped as soon as its job existed`
  return `submitted ${task.name} to ${executor.name}${attempt > 1 ? `, attempt ${attempt}` : ''}`
}

/**
 * What the attempts before a retry have cost: nothing about them changes any more. Undefined for a first attempt, and for one
 * that was given back: it knows already.
 */
async function spentBefore(
  { store, policy, now }: Context,
  dispatchId: string,
  graph: Graph,
  { taskId, attempt }: AttemptId,
): Promise<Amounts | undefined> {
  if (attempt === 1) return undefined
  const [run] = await store.readRuns(dispatchId, [taskId])
  return run && run.attempt < attempt ? spentOn(run, graph, policy.priceOf, now()) : undefined
}
