import type { JobSpec, PreparedSubmit } from '../../back-ends/executor.ts'
import type { Amounts } from '../../domain/budget/amounts.ts'
import { spentOn } from '../../domain/budget/spend.ts'
import { isBackendError } from '../../domain/errors.ts'
import type { Graph, Task } from '../../domain/graph/graph.ts'
import { isOfOlderDrive } from '../../domain/redrive/older-drive.ts'
import type { TaskRun } from '../../domain/task-run.ts'
import type { AttemptId } from '../../domain/turn/action.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { jobSpec } from './job-spec.ts'
import { submitClaimed } from './submit-claimed.ts'
import type { Work } from './work.ts'

/** Submit attempts as a job each. */
export async function submitAlone(
  context: Context,
  work: Work,
  tasks: readonly AttemptId[],
): Promise<readonly string[]> {
  const graph = await context.store.readGraph(work.dispatchId)
  const older = await readOlder(context, work, tasks)
  const lines = await concurrently(context.concurrency, tasks, (attempt) =>
    submitOne(context, work, graph, attempt, older.get(attempt.taskId)),
  )
  return lines.filter((line) => line !== undefined)
}

/** A turn knows reopened tasks only as not started: what older drives have left of them is read here. */
async function readOlder(
  { store }: Context,
  { dispatchId, action }: Work,
  tasks: readonly AttemptId[],
): Promise<ReadonlyMap<number, TaskRun>> {
  const first = action.redrives === undefined ? [] : tasks.filter(({ attempt }) => attempt === 1)
  const runs = await store.readRuns(
    dispatchId,
    first.map(({ taskId }) => taskId),
  )
  return new Map(runs.filter((run) => isOfOlderDrive(run, action)).map((run) => [run.id, run]))
}

async function submitOne(
  context: Context,
  work: Work,
  graph: Graph,
  planned: AttemptId,
  older: TaskRun | undefined,
): Promise<string | undefined> {
  const { dispatchId, executor, action, deadline } = work
  // Not begun in time, it is planned again.
  if (context.now() >= deadline.at) return undefined
  const { taskId } = planned
  const attempt = older ? older.attempt + 1 : planned.attempt
  const task = graph.tasks[taskId] as Task
  const job = await jobSpec(context, dispatchId, graph, task, attempt)
  const earlierSpend = await spentBefore(context, dispatchId, graph, planned)
  // Before the claim, so that no cancel waits for what waits for a quota; a failure is the claim's all the same.
  const submit = await prepareSubmit(work, job)
  const claim = {
    taskId,
    attempt,
    claimId: context.newId(),
    executor: executor.name,
    at: context.now(),
    ...(action.redrives !== undefined && { redrive: action.redrives }),
    ...(older && { follows: older.claimId }),
    ...(earlierSpend && { earlierSpend }),
  }
  if (!(await context.store.claim(dispatchId, claim))) return undefined

  const submission = await submitClaimed(context, work, [{ claim, job }], { submit: async () => [await submit()] })
  const { released, stopped, twins, problem } = submission
  if (released.length > 0) return `${task.name}: not started, it is cancelled or a newer execution has taken over`
  if (problem !== undefined) return `${task.name}: ${problem}`
  if (twins.length > 0) return `${task.name}: attempt ${attempt} had been given up, its late job is stopped`
  if (stopped.length > 0) return `${task.name}: stopped as soon as its job existed`
  return `submitted ${task.name} to ${executor.name}${attempt > 1 ? `, attempt ${attempt}` : ''}`
}

async function prepareSubmit({ executor, deadline }: Work, job: JobSpec): Promise<PreparedSubmit> {
  if (!executor.prepare) return () => executor.submit(job, deadline)
  try {
    return await executor.prepare(job, deadline)
  } catch (error) {
    if (!isBackendError(error)) throw error
    return () => Promise.reject(error)
  }
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
