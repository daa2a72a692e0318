import { covers } from '../../../lib/domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import { outcomeOf } from '../../../lib/domain/settled.ts'
import { isOver, type Job, kinds } from './pretend-jobs.ts'
import type { Role } from './roles.ts'
import type { FenceNote, Notes, WorldState } from './world-state.ts'
import { dispatchesIn, dispatchIn, hasAttempt, isCovered, liveJobs, runIn } from './world-views.ts'

/** A promise that does not hold. */
export class Violation extends Error {
  override name = 'Violation'
}

export function mustHold(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what)
}

const ends = ['succeeded', 'failed', 'cancelled', 'lost']

/** What a step has changed of the table and the jobs: the notes that follow. Errors: Violation. */
export function checkStep(before: WorldState, after: WorldState, began: readonly Job[], role: Role | undefined): Notes {
  let notes = before.notes
  if (!notes.isOverslept) for (const job of began) checkBegin(before, job)
  if (after.jobs !== before.jobs && role) checkAsked(before, after)
  if (after.table === before.table) return notes
  for (const dispatch of dispatchesIn(after.table)) {
    const old = dispatchIn(before.table, dispatch.id)
    if (old === dispatch) continue
    if (old) notes = noteMeta(after, notes, old, dispatch)
    else if (dispatch.status === 'running' && !notes.isOverslept) checkChild(before, dispatch)
  }
  return noteClaims(before, after, notes)
}

/** P1, and that nothing runs twice, too early or too late. */
function checkBegin(before: WorldState, job: Job): void {
  const { dispatchId, taskId, name } = job
  const run = runIn(before.table, dispatchId, taskId)
  const dispatch = dispatchIn(before.table, dispatchId) as Dispatch
  mustHold(run !== undefined, `job ${name} begins without a claim`)
  const others = [...before.jobs.values()].filter((one) => one.dispatchId === dispatchId && one.taskId === taskId)
  const isAgain = others.some(
    (one) => !one.isTombstone && (one.name === name || (!isOver(one) && !before.notes.isForced)),
  )
  mustHold(!isAgain, `task ${taskId} runs twice: ${name} beside ${others.map((one) => one.name)}`)
  if (run?.attempt === job.attempt)
    mustHold(outcomeOf(dispatch, taskId) === undefined, `job ${name} begins when its task is settled`)
  if (run?.packLeader === undefined && kinds.some((kind) => kind.name === job.executor && kind.forestalls))
    checkStrict(before, job)
  checkClaim(before, job)
}

/** A claim that was made behind a fence is given back: what begins was under way when the fence was written. */
function checkClaim({ notes, table }: WorldState, { dispatchId, taskId }: Pick<Job, 'dispatchId' | 'taskId'>): void {
  const claimId = runIn(table, dispatchId, taskId)?.claimId ?? ''
  mustHold(!notes.lateClaims.includes(claimId), `P1: task ${taskId} begins though its claim came after the fence`)
}

type StrictJob = Pick<Job, 'dispatchId' | 'taskId'> & { readonly executor?: string }

/** Where a back end can keep a name from starting, and its claim is not a pack's, nothing begins after the answer, also what was under way. */
function checkStrict({ notes, fault }: WorldState, { dispatchId, taskId, executor }: StrictJob): void {
  // It could not be asked.
  if (fault && fault.executor === executor) return
  for (const id of notes.acknowledged) {
    const fence = notes.fences[id]
    const isOver = !fence || fence.isLifted || fence.dispatchId !== dispatchId || !covers(fence.scope, taskId)
    mustHold(isOver, `P1: task ${taskId} begins after its cancel was acknowledged`)
  }
}

function checkChild(before: WorldState, { parent }: Dispatch): void {
  if (!parent) return
  checkStrict(before, parent)
  checkClaim(before, parent)
}

/** P8: what no cancellation covers is left alone, unless no attempt stands for it. */
function checkAsked(before: WorldState, after: WorldState): void {
  for (const job of after.jobs.values()) {
    const old = before.jobs.get(job.id)
    if (!job.isAsked || old?.isAsked !== false) continue
    const isMeant = isCovered(before, job.dispatchId, job.taskId) || !hasAttempt(before, job)
    mustHold(isMeant || before.notes.isForced, `P8: ${job.name} is stopped though no cancellation covers it`)
  }
}

/** P3, P4, P6 and the end of a dispatch. */
function noteMeta(after: WorldState, notes: Notes, old: Dispatch, now: Dispatch): Notes {
  const isRedriven = (now.redrives ?? 0) > (old.redrives ?? 0)
  for (let id = 0; id < now.taskCount; id++) {
    const [was, is] = [outcomeOf(old, id), outcomeOf(now, id)]
    if (was === is) continue
    const mayOpen = isRedriven && is === undefined && was !== 'succeeded'
    mustHold(was === undefined || mayOpen, `P4: task ${id} was ${was} and is ${is}`)
    if (is === undefined || notes.isForced || notes.isOverslept) continue
    const left = liveJobs(after).filter((job) => job.dispatchId === now.id && job.taskId === id)
    mustHold(left.length === 0, `P3: task ${id} is ${is} while ${left.map((job) => job.name)} runs`)
    const child = dispatchesIn(after.table).find(({ parent }) => parent?.dispatchId === now.id && parent.taskId === id)
    mustHold(child?.status !== 'running', `P3: task ${id} is ${is} while its child runs`)
  }
  if (old.status !== 'running')
    mustHold(now.status === old.status || isRedriven, `P4: ${old.status} became ${now.status}`)
  for (const id of Object.keys(old.fences)) mustHold(isRedriven || id in now.fences, 'P1: a fence is gone')
  let { fences } = notes
  if (isRedriven)
    fences = Object.fromEntries(
      Object.entries(fences).map(([id, one]) => [id, one.dispatchId === now.id ? { ...one, isLifted: true } : one]),
    )
  for (const { id, scope } of Object.values(now.fences)) {
    if (old.fences[id]) continue
    mustHold(after.table.has(`DISPATCH#${now.id} CANCEL#${id}`), 'P6: a fence without a record')
    mustHold(!fences[id], `a fence that was there before comes again`)
    const open = Array.from({ length: now.taskCount }, (_, task) => task).filter(
      (task) => covers(scope, task) && outcomeOf(now, task) === undefined,
    ).length
    const note: FenceNote = { dispatchId: now.id, scope, open, isLifted: false }
    fences = { ...fences, [id]: note }
  }
  return fences === notes.fences ? notes : { ...notes, fences }
}

/** P4 for attempts, and which claims were made behind a fence. */
function noteClaims(before: WorldState, after: WorldState, notes: Notes): Notes {
  const lateClaims = [...notes.lateClaims]
  for (const [key, item] of after.table) {
    if (item === before.table.get(key) || !String(item.sk).startsWith('TASK#')) continue
    const dispatchId = String(item.pk).slice('DISPATCH#'.length)
    const taskId = Number(item.taskId)
    const run = runIn(after.table, dispatchId, taskId)
    const old = runIn(before.table, dispatchId, taskId)
    if (!run) continue
    const isEnded = old?.claimId === run.claimId && ends.includes(old.state)
    mustHold(!isEnded || run.state === old?.state, `P4: an attempt was ${old?.state} and is ${run.state}`)
    if (run.claimId !== old?.claimId && isCovered(before, dispatchId, taskId)) lateClaims.push(run.claimId)
  }
  return lateClaims.length === notes.lateClaims.length ? notes : { ...notes, lateClaims: lateClaims.sort() }
}
