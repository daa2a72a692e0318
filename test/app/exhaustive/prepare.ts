import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { GraphInput } from '../../../lib/schema/graph-file.ts'
import { choicesOf, isEnd, type Rules } from './choices.ts'
import type { Role } from './roles.ts'
import { begin, take } from './steps.ts'
import type { WorldState } from './world-state.ts'
import { dispatchesIn } from './world-views.ts'

/** One thing that has happened before the storm, undisturbed. */
export type Earlier =
  /** Every open dispatch has had a turn, and its actions were done. */
  | 'a round'
  | 'the jobs end'
  /** Time for another look at the jobs. */
  | 'time for a poll'
  | 'all have ended'
  | ((before: WorldState) => Role)

const calmRules: Rules = { faults: [] }

const nothing: WorldState = {
  table: new Map(),
  jobs: new Map(),
  now: 1_700_000_000_000,
  processes: [],
  inFlight: [],
  endings: 0,
  ownRecords: [],
  notes: { fences: {}, lateClaims: [], acknowledged: [], isForced: false, isOverslept: false },
}

/** A world in which the graph was submitted and all of `earlier` has happened. */
export async function prepare(graph: GraphInput, earlier: readonly Earlier[]): Promise<WorldState> {
  let state = await perform(nothing, [{ is: 'submitter', dispatchId: '', graph }])
  for (const one of earlier) state = await happen(state, one)
  return state
}

async function happen(state: WorldState, earlier: Earlier): Promise<WorldState> {
  if (earlier === 'time for a poll') return { ...state, now: state.now + 10_000 }
  if (earlier === 'the jobs end') {
    const jobs = new Map([...state.jobs].map(([id, job]) => [id, { ...job, state: 'succeeded' } as const]))
    return { ...state, jobs }
  }
  if (earlier === 'all have ended') {
    let calm = state
    while (!isEnd(calm)) calm = await goOn(calm)
    const { calm: _, ...rest } = calm
    return { ...rest, processes: [] }
  }
  if (earlier !== 'a round') return perform(state, [earlier(state)])
  let after = state
  for (const { id, epoch, status } of dispatchesIn(state.table))
    if (status === 'running') after = await perform(after, [{ is: 'turn', by: 'earlier', dispatchId: id, epoch }])
  return after
}

/** The roles, played to their ends. */
async function perform(state: WorldState, roles: readonly Role[]): Promise<WorldState> {
  let after = await begin(state, roles, calmRules)
  while (after.processes.some(({ point }) => point)) after = await goOn(after)
  return { ...after, processes: [] }
}

async function goOn(state: WorldState): Promise<WorldState> {
  const [first] = choicesOf(state, calmRules)
  if (!first) throw new Error('nothing can happen any more')
  return take(state, first, calmRules)
}

/** The dispatch that the submitter has made. */
export function rootIn({ table }: WorldState): Dispatch {
  return dispatchesIn(table).find(({ parent }) => !parent) as Dispatch
}

/** The dispatches behind its sublattices. */
export function childrenIn({ table }: WorldState): readonly Dispatch[] {
  return dispatchesIn(table).filter(({ parent }) => parent)
}
