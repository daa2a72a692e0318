import type { Stop } from '../cancel/kill-pass.ts'
import type { Dispatch } from '../dispatch.ts'
import type { Graph, Task } from '../graph/graph.ts'
import type { TaskRun } from '../task-run.ts'

/** From asking a job to end at its time limit to killing it. */
const graceSeconds = 30

/**
 * When a running attempt has had its `timeoutSeconds`; undefined where it has none, or has not started. Time in a queue
 * does not count.
 */
export function taskDeadline(task: Task, run: TaskRun): number | undefined {
  if (task.timeoutSeconds === undefined || run.state !== 'running' || run.startedAt === undefined) return undefined
  return run.startedAt + task.timeoutSeconds * 1000
}

/**
 * Why a running attempt is to be stopped without anybody's cancel: its time is over. Most back ends end it by
 * themselves; those that cannot, or only by the minute, are asked to.
 */
export function timeLimitStop(task: Task, run: TaskRun, now: number): Stop | undefined {
  const deadline = taskDeadline(task, run)
  if (deadline === undefined || deadline > now) return undefined
  const reason = `it ran longer than its ${task.timeoutSeconds} s`
  return { mode: 'graceful', graceSeconds, reason, at: deadline, isTimeLimit: true }
}

/**
 * When a dispatch has had the time that its graph gives it, from its creation or its last redrive; undefined where it has
 * no limit.
 */
export function dispatchDeadline(
  { createdAt, drivenAt = createdAt }: Dispatch,
  { timeoutSeconds }: Graph,
): number | undefined {
  return timeoutSeconds === undefined ? undefined : drivenAt + timeoutSeconds * 1000
}
