import { callInGroups } from '../call-in-groups.ts'
import type { CancelOutcome, Deadline } from '../executor.ts'
import { isConflict, isNotFound, throwing } from './errors.ts'

interface CancelOptions<Job> {
  /** The call that `stop` makes. */
  readonly call: string
  /** Errors: those of the SDK. */
  readonly stop: (job: Job) => Promise<unknown>
  /** As Braket spells it. Errors: those of the SDK. */
  readonly statusOf: (arn: string) => Promise<string | undefined>
  readonly deadline: Deadline | undefined
}

/** Ask Braket to stop each job by a call of its own: it has none for many. One outcome a job, in the same order. */
export function cancelBraket<Job extends { readonly arn: string }>(
  jobs: readonly Job[],
  { call, stop, statusOf, deadline }: CancelOptions<Job>,
): Promise<readonly CancelOutcome[]> {
  const cancelOne = async (job: Job): Promise<CancelOutcome> => {
    try {
      await stop(job)
      return { outcome: 'accepted' }
    } catch (error) {
      if (isNotFound(error)) return { outcome: 'unknown' }
      if (isConflict(error)) return afterConflict(await statusOf(job.arn), error as Error)
      throw error
    }
  }
  return callInGroups({
    items: jobs,
    size: 1,
    deadline,
    call: (group) => Promise.all(group.map((job) => cancelOne(job).catch(throwing(call)))),
    failed: ({ message }): CancelOutcome => ({ outcome: 'failed', message }),
  })
}

/** A conflict says that the job's state does not allow a cancel: only its state tells why. */
function afterConflict(status: string | undefined, { message }: Error): CancelOutcome {
  if (status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED') return { outcome: 'ended' }
  return status === 'CANCELLING' ? { outcome: 'accepted' } : { outcome: 'failed', message }
}
