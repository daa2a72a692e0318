import { covers, hasWholeFence } from '../../../lib/domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import { outcomeOf } from '../../../lib/domain/settled.ts'
import { isOver } from './pretend-jobs.ts'
import { mustHold } from './promises-in-steps.ts'
import type { WorldState } from './world-state.ts'
import { dispatchesIn, dispatchIn, isCovered, liveJobs } from './world-views.ts'

/** When a canceller has answered: the fence stands, and what it found was asked to stop where its back end answers. */
export function checkAcknowledged(state: WorldState, fenceId: string | undefined, owes: readonly string[]): void {
  for (const id of owes) {
    const job = state.jobs.get(id)
    if (!job || state.fault?.executor === job.executor || state.notes.isForced) continue
    mustHold(job.isAsked || isOver(job), `P9: ${job.name} was not asked to stop when the cancel was acknowledged`)
  }
  const fence = fenceId === undefined ? undefined : state.notes.fences[fenceId]
  // Whatever hangs at a back end, the fences of the whole tree come first.
  if (!fence || fence.isLifted || (state.fault && state.fault.executor === undefined)) return
  for (const child of childrenUnder(state, fence.dispatchId, fence.scope))
    mustHold(child.status !== 'running' || hasWholeFence(child.fences), 'P1: acknowledged, and a child is not fenced')
}

function childrenUnder({ table }: WorldState, dispatchId: string, scope: Uint8Array | 'all'): readonly Dispatch[] {
  return dispatchesIn(table).filter(({ parent }) => parent?.dispatchId === dispatchId && covers(scope, parent.taskId))
}

/** When everybody has done what they could, and nothing went wrong: what a fence covers was asked to stop at once. */
export function checkStill(state: WorldState): void {
  if (state.fault || state.notes.isForced) return
  for (const job of liveJobs(state))
    mustHold(
      job.isAsked || !isCovered(state, job.dispatchId, job.taskId),
      `P1: ${job.name} runs on behind a fence, and nobody has asked it to stop`,
    )
}

/** When all has ended. */
export function checkEnd(state: WorldState): void {
  // What a forced redrive has given up, and what a process has made that had slept over its lease, was asked to stop.
  const isAskedOnly = state.notes.isForced || state.notes.isOverslept
  const left = liveJobs(state).filter((job) => !(isAskedOnly && job.isAsked))
  mustHold(left.length === 0, `P2: ${left.map((job) => job.name)} runs after the end`)
  for (const dispatch of dispatchesIn(state.table)) {
    for (let id = 0; id < dispatch.taskCount; id++) checkTask(state, dispatch, id)
    for (const fence of Object.values(dispatch.fences)) {
      const counts = Object.values(fence.ended)
      const ended = counts.reduce(
        (sum, { cancelled, succeeded, failed, unconfirmed = 0 }) => sum + cancelled + succeeded + failed + unconfirmed,
        0,
      )
      const { open } = state.notes.fences[fence.id] ?? { open: -1 }
      mustHold(
        ended + fence.abandoned === open,
        `P5: fence ${fence.id} counts ${ended} + ${fence.abandoned} of ${open}`,
      )
    }
    checkSpend(state, dispatch)
  }
}

function checkTask(state: WorldState, dispatch: Dispatch, id: number): void {
  const outcome = outcomeOf(dispatch, id)
  const jobs = [...state.jobs.values()].filter((job) => job.dispatchId === dispatch.id && job.taskId === id)
  const children = dispatchesIn(state.table).filter(
    ({ parent }) => parent?.dispatchId === dispatch.id && parent.taskId === id,
  )
  const hasSucceeded = [...jobs.map((job) => job.state), ...children.map(({ status }) => status)].includes('succeeded')
  mustHold(outcome !== undefined, `task ${id} is not settled`)
  if (!state.notes.isForced)
    mustHold((outcome === 'succeeded') === hasSucceeded, `P4: task ${id} is ${outcome}, its job was not`)
  const isStopped = isCovered(state, dispatch.id, id)
  mustHold(isStopped || outcome === 'succeeded', `P8: nothing covers task ${id}, and it is ${outcome}`)
}

/** Every job is paid for once, whatever was repeated: a dollar for each that was not cancelled. */
function checkSpend(state: WorldState, { id, spent = {} }: Dispatch): void {
  const isInside = (dispatchId: string) =>
    dispatchId === id || dispatchIn(state.table, dispatchId)?.parent?.dispatchId === id
  const jobs = [...state.jobs.values()].filter((job) => isInside(job.dispatchId) && !job.isTombstone)
  const paid = Object.values(spent).reduce((sum, { usd }) => sum + usd, 0)
  mustHold(paid <= jobs.length, `${paid} dollars for ${jobs.length} jobs`)
  const sure = state.notes.isForced ? [] : jobs.filter((job) => job.state === 'succeeded')
  mustHold(paid >= sure.length, `${paid} dollars for ${sure.length} jobs that have succeeded`)
}
