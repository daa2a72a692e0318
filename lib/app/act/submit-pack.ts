import type { Handle } from '../../back-ends/executor.ts'
import { isFenced } from '../../domain/cancel/cancel-scope.ts'
import type { Task } from '../../domain/graph/graph.ts'
import { jobName } from '../../domain/job-name.ts'
import { isOfOlderDrive } from '../../domain/redrive/older-drive.ts'
import { outcomeOf } from '../../domain/settled.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { jobSpec } from './job-spec.ts'
import { submitAlone } from './submit-alone.ts'
import { type Claimed, submitClaimed } from './submit-claimed.ts'
import type { Work } from './work.ts'

/** Of the members that another drive has left, in one action; the next turn plans the pack again for the rest. */
const aloneAtOnce = 100

/**
 * Submit the tasks of a pack as one job, and those that an older drive has left each alone: their next attempts have
 * names of their own.
 */
export async function submitPack(context: Context, work: Work): Promise<readonly string[]> {
  const { fresh, again } = await unstartedMembers(context, work)
  const attempts = again.slice(0, aloneAtOnce).map(({ id }) => ({ taskId: id, attempt: 1 }))
  const lines = await submitTogether(context, work, fresh)
  return [...lines, ...(await submitAlone(context, work, attempts))]
}

/**
 * Submit members that were never submitted as one job.
 *
 * The first member is claimed first; only who has it goes on, and the job is named after it. Which element stands for
 * which task is written down before the job is submitted, so that whoever finds the job by its name can tell. Members
 * that were claimed and not submitted when the process died are attempts that came to nothing; the next are made alone.
 */
async function submitTogether(context: Context, work: Work, fresh: readonly Task[]): Promise<readonly string[]> {
  const { store, concurrency } = context
  const { dispatchId, action, executor, deadline } = work
  const [leader, ...others] = fresh
  if (!leader) return []
  const graph = await store.readGraph(dispatchId)

  const claim = async (task: Task, claimId = context.newId()): Promise<Claimed | undefined> => {
    const job = await jobSpec(context, dispatchId, graph, task, 1)
    const made = { claimId, executor: executor.name, at: context.now(), packLeader: leader.id }
    const drive = action.redrives === undefined ? {} : { redrive: action.redrives }
    const claimed = { taskId: task.id, attempt: 1, ...made, ...drive }
    return (await store.claim(dispatchId, claimed)) ? { claim: claimed, job } : undefined
  }
  const first = await claim(leader)
  if (!first) return []
  const rest = await concurrently(concurrency, others, (task) => claimOrLeave(context, work, task, claim))
  const claims = [first, ...rest.filter((one) => one !== undefined)]

  const note = (members: readonly Claimed[]): Promise<void> =>
    store.putPack(
      dispatchId,
      leader.id,
      members.map((member) => member.claim.taskId),
    )
  const submit = async (members: readonly Claimed[]): Promise<readonly Handle[]> => {
    const jobs = members.map((member) => member.job)
    const { packing } = executor
    if (jobs.length > 1 && packing) return packing.submit(jobs, packName(dispatchId, leader.id), deadline)
    return Promise.all(jobs.map((job) => executor.submit(job, deadline)))
  }
  const { submitted, released, stopped, twins, problem } = await submitClaimed(context, work, claims, { note, submit })
  const counted = [
    [submitted.length, `submitted to ${executor.name} as one job`],
    [released.length, 'not started, they are cancelled or a newer execution has taken over'],
    [stopped.length, 'stopped as soon as their job existed'],
    [twins.length, 'had been given up, their late jobs are stopped'],
  ] as const
  const lines = counted.filter(([count]) => count > 0).map(([count, what]) => `${count} tasks ${what}`)
  return [...lines, ...(problem === undefined ? [] : [problem])].map((line) => `pack ${action.pack}: ${line}`)
}

/**
 * Claim a member; one that the store does not take, however often it is asked, is left out and given back: it must not hold up
 * the others, and is planned again.
 */
async function claimOrLeave(
  context: Context,
  { dispatchId, deadline }: Work,
  task: Task,
  claim: (task: Task, claimId: string) => Promise<Claimed | undefined>,
): Promise<Claimed | undefined> {
  if (context.now() >= deadline.at) return undefined
  const claimId = context.newId()
  try {
    return await claim(task, claimId)
  } catch (error) {
    context.log({ decision: 'claim-failed', dispatchId, task: task.name, error: String(error) })
    // The answer may have been lost and the claim be there. Where this fails too, the claim is looked for and given up.
    const attempt = { taskId: task.id, claimId }
    await context.store.release(dispatchId, attempt, { drop: false }).catch(() => {})
    return undefined
  }
}

/** The name of a pack's job: that of its leader's first attempt. */
export function packName(dispatchId: string, leader: number): string {
  return jobName({ dispatchId, taskId: leader, attempt: 1 })
}

/**
 * Those that nobody has claimed yet, or whose claim was given back (`fresh`), and those whose runs are of an older drive
 * (`again`). The leader is a fresh one, so that its name was never a job's.
 */
async function unstartedMembers(
  { store }: Context,
  { dispatchId, action }: Work,
): Promise<{ fresh: readonly Task[]; again: readonly Task[] }> {
  const dispatch = await store.readDispatch(dispatchId)
  if (dispatch?.status !== 'running' || dispatch.epoch !== action.epoch) return { fresh: [], again: [] }
  const { tasks } = await store.readGraph(dispatchId)
  const open = tasks.filter(
    ({ id, pack }) => pack === action.pack && !outcomeOf(dispatch, id) && !isFenced(dispatch.fences, id),
  )
  const runs = await store.readRuns(
    dispatchId,
    open.map(({ id }) => id),
  )
  const older = new Set(runs.filter((run) => isOfOlderDrive(run, action)).map((run) => run.id))
  const begun = new Set(runs.filter((run) => run.state !== 'released' || run.attempt > 1).map((run) => run.id))
  return {
    fresh: open.filter(({ id }) => !begun.has(id) && !older.has(id)),
    again: open.filter(({ id }) => older.has(id)),
  }
}
