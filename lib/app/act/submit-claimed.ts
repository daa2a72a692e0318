import type { Handle, JobSpec } from '../../back-ends/executor.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import { BackendRejected, BackendUnavailable } from '../../domain/errors.ts'
import { outcomeOf } from '../../domain/settled.ts'
import type { Claim } from '../../store/store.ts'
import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import { isClosed, stopClosed, stopJobs } from './stop-if-closed.ts'
import type { Work } from './work.ts'

/** An attempt that we have claimed, and the job to make for it. */
export interface Claimed {
  readonly claim: Claim
  readonly job: JobSpec
}

/** What became of the claims. With a `problem` none has a job that we know of. */
export interface Submission {
  readonly submitted: readonly Claimed[]
  /** Given back, since they are cancelled or a newer execution has taken over. */
  readonly released: readonly Claimed[]
  /** Stopped as soon as their job existed. */
  readonly stopped: readonly Claimed[]
  /** Late: the attempt had been given up, and its job is stopped. */
  readonly twins: readonly Claimed[]
  readonly problem?: string
}

/** What is done with claims that may start. */
export interface SubmitSteps {
  /** Write down what they are to be; called again for those that are left, should there be fewer. */
  readonly note?: (members: readonly Claimed[]) => Promise<void>
  /** One call, with nothing slow before it. */
  readonly submit: (members: readonly Claimed[]) => Promise<readonly Handle[]>
}

/** Before a back end that refused for now is asked again. */
const busyDelaySeconds = 10

/**
 * From claims to jobs, in the order that the promise rests on: read the fence, submit, store the handles, read the fence
 * again.
 *
 * A canceller writes its fence and then reads the claims; we have claimed and now read the fence. With strongly
 * consistent reads one side always sees the other. What each step leaves behind when the process dies after it:
 * claim: a claim without a handle, looked for by name and repeated when its lease is over;
 * submit: the same, and `find` brings the job back;
 * handle: a job that every turn and every cancel sees.
 */
export async function submitClaimed(
  context: Context,
  work: Work,
  claims: readonly Claimed[],
  { note, submit }: SubmitSteps,
): Promise<Submission> {
  const { store, now, concurrency } = context
  const { dispatchId, action } = work
  let before = await store.readDispatch(dispatchId)
  const isStopped = ({ claim }: Claimed) => isClosed(before, claim.taskId)
  const mayStart = () => (before?.epoch === action.epoch ? claims.filter((one) => !isStopped(one)) : [])
  let members = mayStart()
  // What is written about them takes its time, so the fence is read after it: until what was written is what starts.
  for (let noted = 0; note && members.length > 0 && noted !== members.length; members = mayStart()) {
    noted = members.length
    await note(members)
    before = await store.readDispatch(dispatchId)
  }
  const released = claims.filter((one) => !members.includes(one))
  // A retry is left to the turn that settles it: what the attempts before it have cost stands in its item only, and a claim
  // that was given back before does not say so again.
  const isDropped = ({ claim }: Claimed) => claim.attempt === 1 || isOver(before, claim.taskId)
  await concurrently(concurrency, released, (one) =>
    store.release(dispatchId, one.claim, { drop: isStopped(one) && isDropped(one) }),
  )
  const none = { submitted: [], released, stopped: [], twins: [] }
  if (members.length === 0) return none

  const answer = await trySubmit(context, work, members, submit)
  if (typeof answer === 'string') return { ...none, problem: answer }
  const isOurs = await concurrently(concurrency, members, async ({ claim }, index) => {
    const isKept = await store.storeHandle(dispatchId, claim, answer[index] as Handle, now())
    return isKept || isFoundAlready(context, work, claim)
  })
  // The attempt is over, or another job stands for it: this one is a twin that nobody would look after.
  const twins = members.filter((_, index) => !isOurs[index])
  const lost = answer.filter((_, index) => !isOurs[index])
  await stopJobs(context, work, lost, { mode: 'force', reason: 'a second job for the same attempt' })
  const kept = members.flatMap((one, index) => (isOurs[index] ? [{ ...one, handle: answer[index] as Handle }] : []))
  const closed = await stopClosed(
    context,
    work,
    kept.map(({ claim, handle }) => ({ taskId: claim.taskId, handle })),
  )
  const stopped = kept.filter(({ claim }) => closed.has(claim.taskId))
  return { submitted: kept.filter((one) => !stopped.includes(one)), released, stopped, twins }
}

function isOver(dispatch: Dispatch | undefined, taskId: number): boolean {
  return dispatch?.status !== 'running' || outcomeOf(dispatch, taskId) !== undefined
}

/** The handles, or what became of it as a sentence: the claims say the same. */
async function trySubmit(
  { store, now, concurrency }: Context,
  { dispatchId, executor: { name } }: Work,
  members: readonly Claimed[],
  submit: (members: readonly Claimed[]) => Promise<readonly Handle[]>,
): Promise<readonly Handle[] | string> {
  try {
    return await submit(members)
  } catch (error) {
    if (error instanceof BackendRejected) {
      const failure = { code: 'Rejected', message: error.message, retryable: false, source: name }
      const change = { state: 'failed' as const, endedAt: now(), failure }
      await concurrently(concurrency, members, ({ claim }) => store.noteRun(dispatchId, claim, change))
      return `${name} refused it: ${error.message}`
    }
    if (!(error instanceof BackendUnavailable)) throw error
    if (error.arrived === 'unknown') return `no answer from ${name}, looking for its job: ${error.message}`
    const failure = { code: 'Unavailable', message: error.message, retryable: true, source: name }
    const how = { drop: false, notBefore: now() + busyDelaySeconds * 1000, failure }
    await concurrently(concurrency, members, ({ claim }) => store.release(dispatchId, claim, how))
    return `${name} does not take it now, trying again: ${error.message}`
  }
}

/** Someone has looked for the job by its name and stored its handle, which may look different from ours. */
async function isFoundAlready({ store }: Context, { dispatchId, executor }: Work, claim: Claim): Promise<boolean> {
  if (!executor.adopts) return false
  const [run] = await store.readRuns(dispatchId, [claim.taskId])
  return run?.attempt === claim.attempt && run.handle !== undefined
}
