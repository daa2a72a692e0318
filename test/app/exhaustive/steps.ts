import type { TurnResult } from '../../../lib/app/run-turn.ts'
import { covers } from '../../../lib/domain/cancel/cancel-scope.ts'
import { BackendUnavailable, Conflict } from '../../../lib/domain/errors.ts'
import type { CancelAnswer } from '../../../lib/schema/api.ts'
import { canonical } from './canonical.ts'
import { type Choice, dueAt, type Rules } from './choices.ts'
import { applyCall, type Job } from './pretend-jobs.ts'
import { checkAcknowledged, checkStill } from './promises-at-rest.ts'
import { checkStep, mustHold } from './promises-in-steps.ts'
import { type Breaks, play, policy, type Role } from './roles.ts'
import { type Call, type Point, type Reply, type Request, Script } from './script.ts'
import { applyCommand, isHistory } from './table.ts'
import { type Fault, forgetNumbers, isLocal, isRead, type Process, type WorldState } from './world-state.ts'
import { dispatchesIn, hasAttempt, isCovered, liveJobs, runIn } from './world-views.ts'

/** More rounds than any dispatch needs. */
const maxRounds = 60
/** By when a cancel is to be acknowledged, whatever hangs. */
const answerMs = 10_000
/** How long a call may be under way: shorter than the lease. */
const flightMs = (policy.leaseSeconds * 1000) / 2

/** The state after a choice. Errors: Violation. */
export async function take(state: WorldState, choice: Choice, rules: Rules): Promise<WorldState> {
  switch (choice.is) {
    case 'ends': {
      const job = state.jobs.get(choice.job) as Job
      const ended: Job = { ...job, state: 'succeeded' }
      return { ...state, jobs: new Map(state.jobs).set(job.id, ended), endings: state.endings - 1 }
    }
    case 'arrives': {
      const late = state.inFlight[choice.index]
      if (!late) throw new Error('nothing is in flight')
      const inFlight = state.inFlight.filter((one) => one !== late)
      return apply({ ...state, inFlight }, late.request, late.role).state
    }
    case 'thaws': {
      const { frozenUntil = 0, ...process } = state.processes[choice.process] as Process
      const now = Math.max(state.now, frozenUntil)
      return withProcess({ ...state, now, notes: { ...state.notes, isOverslept: true } }, choice.process, process)
    }
    case 'calm':
      return goOnCalmly(state, rules)
    case 'times out': {
      const { call, process } = choice
      const now = Math.max(state.now, dueAt(call.request) ?? 0)
      const inFlight = state.inFlight.filter(({ until }) => until > now)
      const reply = call.request.of === 'sleep' ? { value: undefined } : { error: noAnswer() }
      return resume({ ...state, now, inFlight }, process, call, reply, rules)
    }
    case 'answer': {
      const { role } = state.processes[choice.process] as Process
      const { state: after, reply } = apply(state, choice.call.request, role, choice.process)
      return resume(after, choice.process, choice.call, reply, rules)
    }
    default:
      return fail(state, choice.is, choice.process, choice.call, rules)
  }
}

async function fail(state: WorldState, is: Fault['is'], index: number, call: Call, rules: Rules): Promise<WorldState> {
  const process = state.processes[index] as Process
  const { request } = call
  const fault: Fault = { is, process: index, ...(request.of === 'jobs' && { executor: request.call.executor }) }
  const faulty = { ...state, fault }
  const isLost = is === 'hangs' || is === 'breaks'
  const late = { request, role: process.role, until: state.now + flightMs }
  const inFlight = isLost && !isRead(request) ? [...state.inFlight, late] : state.inFlight
  const lost = { ...faulty, inFlight }
  switch (is) {
    case 'dies':
      return withProcess(faulty, index, gone(process, 'died'))
    case 'hangs':
      return settled(withProcess(lost, index, { ...process, hung: [...process.hung, call.key] }), index)
    case 'breaks':
      return resume(lost, index, call, { error: request.of === 'jobs' ? noAnswer() : brokenStore }, rules)
    case 'throttled':
      return resume(faulty, index, call, { error: new BackendUnavailable('slow down', { arrived: 'no' }) }, rules)
    case 'freezes': {
      const frozenUntil = state.now + policy.leaseSeconds * 1000 + 1
      return withProcess(faulty, index, { ...process, frozenUntil })
    }
    case 'resent':
      return apply(faulty, request, process.role, index).state
  }
}

const noAnswer = () => new BackendUnavailable('no answer', { arrived: 'unknown' })
const brokenStore = Object.assign(new Error('the connection is broken'), { name: 'TimeoutError' })

/** One who waits for nothing but what never comes has died. */
function settled(state: WorldState, index: number): WorldState {
  const process = state.processes[index] as Process
  const waits = process.point?.calls.some(({ key, request }) => !process.hung.includes(key) || dueAt(request)) ?? false
  // Of the table, the SDK client has its own time-outs: the process ends with them.
  const isAtBackEnd = process.point?.calls.some(({ request }) => request.of === 'jobs') ?? false
  mustHold(waits || !isAtBackEnd, `P10: ${process.role.is} waits for ever for a back end`)
  return waits ? state : withProcess(state, index, gone(process, 'died'))
}

/** A call has its effect. */
function apply(state: WorldState, request: Request, role: Role, index?: number): { state: WorldState; reply: Reply } {
  if (request.of === 'jobs') {
    const { jobs, began, value } = applyCall(state.jobs, request.call)
    const after = jobs === state.jobs ? state : { ...state, jobs }
    return { state: { ...after, notes: checkStep(state, after, began, role) }, reply: { value } }
  }
  if (request.of !== 'table') return { state, reply: { value: undefined } }
  if (isHistory(request.command)) return { state, reply: { value: {} } }
  const { table, value, error } = applyCommand(state.table, request.command)
  const reply = error ? { error } : { value }
  if (table === state.table) return { state, reply }
  const after = { ...state, table }
  const notes = checkStep(state, after, [], role)
  const noted = { ...after, notes }
  if (index === undefined || role.is !== 'canceller' || notes.fences === state.notes.fences)
    return { state: noted, reply }
  const process = noted.processes[index] as Process
  return {
    state: withProcess(noted, index, { ...process, owes: [...process.owes, ...owedBy(noted, state)].sort() }),
    reply,
  }
}

/** The jobs that a canceller, who has just written a fence, finds running. */
function owedBy(state: WorldState, before: WorldState): readonly string[] {
  const fences = Object.entries(state.notes.fences).flatMap(([id, fence]) => (before.notes.fences[id] ? [] : [fence]))
  return liveJobs(state)
    .filter((job) => fences.some(({ dispatchId, scope }) => job.dispatchId === dispatchId && covers(scope, job.taskId)))
    .filter((job) => runIn(state.table, job.dispatchId, job.taskId)?.handle?.id === job.id)
    .map((job) => job.id)
}

/** A process has its reply, and goes on to where it waits for others. */
async function resume(state: WorldState, index: number, call: Call, reply: Reply, rules: Rules): Promise<WorldState> {
  const process = state.processes[index] as Process
  const replyKey = 'error' in reply ? `! ${canonical(reply.error)}` : canonical(reply.value)
  const next = process.script.next(process.point as Point, call.key, reply, replyKey, state.now)
  const point = next instanceof Promise ? await next : next
  const hung = process.hung.filter((key) => key !== call.key)
  return proceed(withProcess(state, index, { ...process, point, hung }), index, rules)
}

async function proceed(state: WorldState, index: number, rules: Rules): Promise<WorldState> {
  const process = state.processes[index] as Process
  const { point, hung } = process
  if (!point) return state
  const local = point.calls.find(({ request }) => isLocal(request, state))
  if (local) {
    const { state: after, reply } = apply(state, local.request, process.role, index)
    return resume(after, index, local, reply, rules)
  }
  if (!point.end) return settled(state, index)
  const waits = point.calls.some(({ key, request }) => !hung.includes(key) && request.of !== 'sleep')
  if (waits && process.outcome) return state
  const ended = process.outcome ? state : endOf(state, process, point.end)
  const outcome = 'error' in point.end ? 'refused' : 'done'
  const after = withProcess(ended, index, waits ? { ...process, outcome } : gone(process, outcome))
  if (process.outcome || process.role.is !== 'turn' || process.role.isAlone || 'error' in point.end) return after
  return follow(after, process.role, point.end.value as TurnResult, rules)
}

/** What an answer promises, and which errors are none. */
function endOf(state: WorldState, { role, owes, beganAt }: Process, end: Reply): WorldState {
  if ('error' in end) {
    const mayRefuse = (role.is === 'canceller' || role.is === 'redriver') && end.error instanceof Conflict
    if (!mayRefuse && end.error !== brokenStore)
      throw Object.assign(new Error(`${role.is} failed: ${end.error.stack}`), { name: 'Violation' })
    return state
  }
  if (role.is !== 'canceller') return state
  const { cancellationId: id } = end.value as CancelAnswer
  const acknowledged = id === undefined ? state.notes.acknowledged : [...state.notes.acknowledged, id].sort()
  const after = { ...state, notes: { ...state.notes, acknowledged } }
  mustHold(after.now - beganAt <= answerMs || after.notes.isOverslept, 'P9: a cancel is acknowledged too late')
  checkAcknowledged(after, id, owes)
  return after
}

/** The actions of a turn: at once, each a process, in the storm; one after the other in the calm. */
async function follow(state: WorldState, role: Role, turn: TurnResult, rules: Rules): Promise<WorldState> {
  const roles = turn.actions.map(
    (action, n): Role => ({
      is: 'act',
      by: `${role.by ?? ''} ${n}`,
      dispatchId: role.dispatchId,
      action,
    }),
  )
  if (!state.calm) return begin(state, roles, rules)
  const waitSeconds = Math.min(state.calm.waitSeconds, turn.waitSeconds)
  return { ...state, calm: { ...state.calm, waitSeconds, todo: [...roles, ...state.calm.todo] } }
}

const scripts = new Map<string, Promise<Script>>()
const breakers: Breaks[] = []

/** Let go of what the searches so far have learnt. */
export function forget(): void {
  scripts.clear()
  forgetNumbers()
}

/** Begin processes. */
export async function begin(state: WorldState, roles: readonly Role[], rules: Rules): Promise<WorldState> {
  let after = state
  for (const role of roles) {
    const { breaks } = rules
    if (breaks && !breakers.includes(breaks)) breakers.push(breaks)
    const key = `${state.now} ${breaks ? breakers.indexOf(breaks) : ''} ${canonical(role)}`
    const known = scripts.get(key) ?? Script.begin(play(role, breaks), state.now)
    scripts.set(key, known)
    const script = await known
    const isForced = after.notes.isForced || (role.is === 'redriver' && role.force === true)
    const process: Process = { role, script, point: script.root, hung: [], owes: [], beganAt: after.now }
    after = { ...after, notes: { ...after.notes, isForced }, processes: [...after.processes, process] }
    after = await proceed(after, after.processes.length - 1, rules)
  }
  return after
}

/** The calm: the loops of all open dispatches, undisturbed, one process at a time; between the rounds, time. */
async function goOnCalmly(state: WorldState, rules: Rules): Promise<WorldState> {
  if (!state.calm) checkStill(state)
  const { calm = { todo: [], waitSeconds: 60, rounds: 0 } } = state
  const asleep = state.processes.filter(({ frozenUntil }) => frozenUntil !== undefined)
  const [role, ...todo] = calm.todo
  if (role) return begin({ ...state, processes: asleep, calm: { ...calm, todo } }, [role], rules)
  mustHold(calm.rounds < maxRounds, 'P10: a dispatch never ends')
  const rested = state.calm ? rest(state, calm.waitSeconds) : state
  const open = dispatchesIn(rested.table).filter(({ status }) => status === 'running')
  const turns = open.map(({ id, epoch }): Role => ({ is: 'turn', by: 'calm', dispatchId: id, epoch }))
  return { ...rested, processes: asleep, calm: { todo: turns, waitSeconds: 60, rounds: calm.rounds + 1 } }
}

/** Time passes. Jobs that were asked to stop have stopped; others succeed, unless nobody would ever hear of it. */
function rest(state: WorldState, seconds: number): WorldState {
  const now = state.now + seconds * 1000
  const ended = liveJobs(state).flatMap((job): Job[] => {
    if (job.isAsked) return [{ ...job, state: 'cancelled' }]
    const goesOn = isCovered(state, job.dispatchId, job.taskId) || !hasAttempt(state, job)
    return goesOn ? [] : [{ ...job, state: 'succeeded' }]
  })
  const jobs = new Map([...state.jobs, ...ended.map((job) => [job.id, job] as const)])
  return { ...state, now, jobs, inFlight: state.inFlight.filter(({ until }) => until > now) }
}

const gone = ({ role, script, beganAt }: Process, outcome: Process['outcome'] & string): Process => ({
  role,
  script,
  beganAt,
  hung: [],
  owes: [],
  outcome,
})

function withProcess(state: WorldState, index: number, process: Process): WorldState {
  return { ...state, processes: state.processes.map((one, at) => (at === index ? process : one)) }
}
