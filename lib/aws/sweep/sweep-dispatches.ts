import { fencesOver } from '../../domain/cancel/cancel-scope.ts'
import { outcomeOf } from '../../domain/settled.ts'
import { isOverdue } from '../../domain/task-state.ts'
import type { Aws } from '../compose.ts'
import { currentLoop, takeUp } from '../executions/take-up.ts'
import { tryAll } from './try-all.ts'

/** What a sweep over the open dispatches found. */
export interface DispatchSweep {
  readonly openDispatches: number
  readonly resumed: number
  readonly cancelled: number
  /** Jobs that were asked to stop longer than `confirmSeconds` ago and still have not. */
  readonly unconfirmedJobs: number
}

/** A loop that runs takes a turn a minute, except while its actions take longer; then it is asked about, and runs. */
const silenceMs = 3 * 60_000
/** DescribeExecution: 15 a second in large Regions (Step Functions developer guide, "Quotas"). */
const dispatchesAtOnce = 5

/** See to it that every open dispatch has a loop, and count the jobs that do not stop. */
export async function sweepDispatches(aws: Aws): Promise<DispatchSweep> {
  const ids = await aws.context.store.listOpen()
  const found = await tryAll(dispatchesAtOnce, ids, (dispatchId) => sweepOne(aws, dispatchId))
  const count = (what: string) => found.filter(({ done }) => done === what).length
  return {
    openDispatches: ids.length,
    resumed: count('resumed'),
    cancelled: count('cancelled'),
    unconfirmedJobs: found.reduce((sum, { unconfirmed }) => sum + unconfirmed, 0),
  }
}

async function sweepOne(aws: Aws, dispatchId: string): Promise<{ done: string; unconfirmed: number }> {
  const { store, now, policy } = aws.context
  const dispatch = await store.readDispatch(dispatchId)
  if (dispatch?.status !== 'running') return { done: 'ended', unconfirmed: 0 }

  const at = { now: now(), confirmSeconds: policy.confirmSeconds }
  const isLate = Object.values(dispatch.fences).some((fence) => isOverdue(fence, at))
  const late = (isLate ? await store.readLive(dispatchId) : []).filter((run) => {
    const [oldest] = fencesOver(dispatch.fences, run.id)
    return oldest !== undefined && isOverdue(oldest, at) && outcomeOf(dispatch, run.id) === undefined
  })

  const wake = await aws.wake.read(dispatchId)
  const loop = currentLoop(dispatch, wake)
  const lastSignAt = wake?.epoch === loop.epoch ? wake.turnAt : (dispatch.drivenAt ?? dispatch.createdAt)
  const isSilent = now() - lastSignAt > silenceMs
  const status = isSilent ? await aws.executions.statusOf(loop) : 'running'
  const done = status === 'running' ? 'running' : await takeUp(aws, loop, status)
  return { done, unconfirmed: late.length }
}
