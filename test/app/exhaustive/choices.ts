import type { Breaks } from './roles.ts'
import type { Call, Request } from './script.ts'
import { describeRequest, type Fault, faultKinds, isRead, type Process, type WorldState } from './world-state.ts'
import { dispatchesIn, liveJobs } from './world-views.ts'

/** One thing that can happen next. */
export type Choice =
  | { readonly is: 'answer' | Fault['is']; readonly process: number; readonly call: Call }
  /** A sleep, or the time for a call, is over. */
  | { readonly is: 'times out'; readonly process: number; readonly call: Call }
  /** A call in flight has its effect. */
  | { readonly is: 'arrives'; readonly index: number }
  | { readonly is: 'thaws'; readonly process: number }
  /** A job ends by itself. */
  | { readonly is: 'ends'; readonly job: string }
  /** Nobody can go on: the next of the calm takes its turn, or the loop rests. */
  | { readonly is: 'calm' }

export interface Rules {
  readonly faults: readonly Fault['is'][]
  readonly breaks?: Breaks
}

/** All that can happen next in a state; nothing when all is over. */
export function choicesOf(state: WorldState, rules: Rules): readonly Choice[] {
  const open = state.processes.flatMap(({ point, hung, frozenUntil }, process) =>
    (frozenUntil === undefined && point ? point.calls : [])
      .filter(({ key }) => !hung.includes(key))
      .map((call) => ({ process, call })),
  )
  const ready = open.filter(({ call }) => call.request.of !== 'sleep')
  const choices: Choice[] = ready.map((one) => ({ is: 'answer', ...one }))
  if (!state.fault && !state.calm)
    for (const one of ready)
      for (const is of faultKinds)
        if (rules.faults.includes(is) && isPossible(is, one.call.request)) choices.push({ is, ...one })
  for (const [process, { frozenUntil = Number.POSITIVE_INFINITY }] of state.processes.entries())
    if (frozenUntil <= state.now || (Number.isFinite(frozenUntil) && isEnd(state)))
      choices.push({ is: 'thaws', process })
  choices.push(...state.inFlight.map((_, index) => ({ is: 'arrives', index }) as const))
  if (state.endings > 0 && !state.calm)
    choices.push(...liveJobs(state).map((job) => ({ is: 'ends', job: job.id }) as const))
  if (ready.length > 0) return choices
  const timer = firstTimer(state)
  if (timer) return [...choices, timer]
  if (isEnd(state)) return choices
  return [...choices, { is: 'calm' }]
}

/** What a process that lives waits for, be it for the time only. */
function firstTimer({ processes }: WorldState): (Choice & { readonly is: 'times out' }) | undefined {
  const timers = processes.flatMap(({ point, hung, frozenUntil, outcome }, process) =>
    (frozenUntil === undefined && point && !outcome ? point.calls : []).flatMap((call) => {
      const at = dueAt(call.request)
      const waits = call.request.of === 'sleep' || hung.includes(call.key)
      return at !== undefined && waits ? [{ at, timer: { is: 'times out', process, call } as const }] : []
    }),
  )
  return timers.sort((a, b) => a.at - b.at)[0]?.timer
}

export function dueAt(request: Request): number | undefined {
  if (request.of === 'sleep') return request.until
  return request.of === 'jobs' ? request.deadlineAt : undefined
}

/** All is over, but for what may still arrive. */
export function isEnd({ calm, processes, table }: WorldState): boolean {
  if (!calm || calm.todo.length > 0 || processes.some(({ point, frozenUntil }) => point && frozenUntil === undefined))
    return false
  return dispatchesIn(table).every(({ status }) => status !== 'running')
}

function isPossible(is: Fault['is'], request: Request): boolean {
  if (is === 'dies' || is === 'freezes') return true
  if (is === 'throttled') return request.of === 'jobs'
  if (is === 'breaks') return request.of === 'jobs' || !isRead(request)
  if (isRead(request)) return is === 'hangs' && request.of === 'jobs'
  return is === 'hangs' || request.of === 'table'
}

export function describeChoice(state: WorldState, choice: Choice): string {
  switch (choice.is) {
    case 'arrives': {
      const late = state.inFlight[choice.index]
      return `late: ${late && describeRequest(late.request)}`
    }
    case 'ends':
      return `${choice.job} ends`
    case 'thaws':
      return `${state.processes[choice.process]?.role.is} thaws`
    case 'calm':
      return state.calm?.todo.length ? 'calm' : 'rest'
    default: {
      const { role } = state.processes[choice.process] as Process
      return `${role.is} ${role.by ?? ''}: ${describeRequest(choice.call.request)}${choice.is === 'answer' ? '' : ` (${choice.is})`}`
    }
  }
}
