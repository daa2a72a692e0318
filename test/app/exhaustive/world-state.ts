import { canonical } from './canonical.ts'
import type { Jobs } from './pretend-jobs.ts'
import type { Role } from './roles.ts'
import type { Point, Request, Script } from './script.ts'
import { isHistory, type Table } from './table.ts'

/** One process of a state. What has ended, or died, has no point. */
export interface Process {
  readonly role: Role
  readonly script: Script
  readonly point?: Point
  /** Calls that will never be answered. */
  readonly hung: readonly string[]
  readonly outcome?: 'done' | 'refused' | 'died'
  readonly beganAt: number
  /** Of a canceller: the jobs that it has to ask to stop before it answers. */
  readonly owes: readonly string[]
  /** It stands still until then. */
  readonly frozenUntil?: number
}

/** A call whose process is gone or has given up: it may have its effect at any moment until then, or never. */
export interface InFlight {
  readonly request: Request
  readonly role: Role
  readonly until: number
}

/**
 * `dies`: the process ends just before the call. `hangs`: it never has an answer. `breaks`: it is told that nobody knows whether
 * the call has arrived. After both the call may still have its effect, later. `throttled`: it is told that it has not arrived.
 * `resent`: the call has its effect, the answer is lost, and the SDK makes it again.
 * `freezes`: the machine stops before the call, and goes on when every lease is over.
 */
export const faultKinds = ['dies', 'hangs', 'breaks', 'throttled', 'resent', 'freezes'] as const

export interface Fault {
  readonly is: (typeof faultKinds)[number]
  readonly process: number
  /** The back end that was called. */
  readonly executor?: string
}

export interface FenceNote {
  readonly dispatchId: string
  readonly scope: Uint8Array | 'all'
  /** How many tasks in scope were open when it was written. */
  readonly open: number
  readonly isLifted: boolean
}

/** What the checks have to remember of how a state was reached. */
export interface Notes {
  readonly fences: Readonly<Record<string, FenceNote>>
  /** Claims that were made when a fence over their task stood already. */
  readonly lateClaims: readonly string[]
  readonly acknowledged: readonly string[]
  /** Jobs may have been given up by a forced redrive. */
  readonly isForced: boolean
  /** A process goes on that stood still for longer than any lease. */
  readonly isOverslept: boolean
}

/** Everything that decides what can happen next. Never changed: a step gives another one. */
export interface WorldState {
  readonly table: Table
  readonly jobs: Jobs
  readonly now: number
  readonly processes: readonly Process[]
  readonly inFlight: readonly InFlight[]
  /** The one fault of this schedule. */
  readonly fault?: Fault
  /** How many jobs may still end by themselves before the calm. */
  readonly endings: number
  /** After the storm: what one loop, undisturbed, has still to do in this round; then it rests. */
  readonly calm?: { readonly todo: readonly Role[]; readonly waitSeconds: number; readonly rounds: number }
  readonly notes: Notes
  /** Partitions in which nobody but its canceller reads or writes the record of a cancellation. */
  readonly ownRecords: readonly string[]
}

const numbers = new Map<string, number>()
let known = new WeakMap<object, number>()

/** Let go of what the searches so far have needed. */
export function forgetNumbers(): void {
  numbers.clear()
  known = new WeakMap()
}

/** A number for what an object holds: equal contents, equal numbers. */
function numberOf(value: object): number {
  const before = known.get(value)
  if (before !== undefined) return before
  const number = textNumber(canonical(value))
  known.set(value, number)
  return number
}

function textNumber(text: string): number {
  const number = numbers.get(text) ?? numbers.size
  numbers.set(text, number)
  return number
}

/** A number for what a map holds, in any order. Most steps leave the table or the jobs as they are. */
function numberOfAll(values: ReadonlyMap<string, object>): number {
  const before = known.get(values)
  if (before !== undefined) return before
  const parts = [...values.values()].map(numberOf).sort((a, b) => a - b)
  const number = textNumber(`all ${parts}`)
  known.set(values, number)
  return number
}

const strandOf = ({ point, hung, outcome, owes, role, frozenUntil = 0 }: Process) =>
  point ? `${point.id}/${hung.map(textNumber)}/${owes.map(textNumber)}/${frozenUntil}` : `${outcome} ${numberOf(role)}`

/** Equal for states in which the same can happen and the same is checked. */
export function digest({ table, jobs, now, processes, inFlight, fault, endings, calm, notes }: WorldState): string {
  const world = [numberOfAll(table), numberOfAll(jobs), now - 1_700_000_000_000, endings, numberOf(notes)]
  const rest = [inFlight.map(numberOf).join(), fault ? numberOf(fault) : '', calm ? numberOf(calm) : '']
  return [world.join(), processes.map(strandOf).join(), ...rest].join(';')
}

/**
 * Whether nobody else could change what this call is answered, nor be changed by it: it need not wait. That a process dies
 * before it is the same as that it dies before its next call.
 */
export function isLocal(request: Request, { table, ownRecords }: Pick<WorldState, 'table' | 'ownRecords'>): boolean {
  if (request.of === 'loops') return true
  if (request.of !== 'table') return false
  const { kind, input } = request.command
  const { pk, sk = '' } = (input.Item ?? input.Key ?? {}) as { pk?: string; sk?: string }
  if (isHistory(request.command)) return true
  if (sk.startsWith('CANCEL#')) return pk !== undefined && ownRecords.includes(pk)
  const { ':prefix': prefix, ':pk': partition } = input.ExpressionAttributeValues ?? {}
  // A graph that is there is never written again.
  return kind === 'Query' && prefix === 'GRAPH#' && table.has(`${partition} GRAPH#00`)
}

export function isRead(request: Request): boolean {
  if (request.of === 'table') return ['Get', 'BatchGet', 'Query'].includes(request.command.kind)
  return request.of === 'jobs' && ['find', 'find pack', 'poll'].includes(request.call.verb)
}

export function describeRequest(request: Request): string {
  switch (request.of) {
    case 'table': {
      const { kind, input } = request.command
      const key = input.Key ?? input.Item
      const keys = Object.values(input.RequestItems ?? {}).flatMap((one) => one.Keys.map((inner) => inner.sk))
      return `${kind} ${key?.sk ?? keys.join(' ')}${input.IndexName ?? input.ExpressionAttributeValues?.[':prefix'] ?? ''}`
    }
    case 'jobs':
      return `${request.call.executor}.${request.call.verb} ${JSON.stringify(request.call)}`
    case 'sleep':
      return 'sleep'
    case 'loops':
      return request.verb
  }
}
