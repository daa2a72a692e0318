import type { Rules } from './choices.ts'
import { explore, noTally, type Tally } from './explore.ts'
import { forget } from './steps.ts'
import { type Storm, startOf, storms, worlds } from './storms.ts'
import { faultKinds } from './world-state.ts'

export type WorldName = keyof typeof worlds
export type StormName = keyof typeof storms

/** One world in one storm, in every order. */
export interface Search {
  readonly world: WorldName
  readonly storm: StormName
  /** One of these at every step at which it is possible; none: nothing goes wrong. */
  readonly faults: Rules['faults']
}

export const worldNames = Object.keys(worlds) as WorldName[]
export const stormNames = Object.keys(storms) as StormName[]

export const nameOf = ({ world, storm, faults }: Search) =>
  `${world}: ${storm}${faults.length === 0 ? '' : faults.length === faultKinds.length ? ', and anything fails' : `, and one ${faults}`}`

export async function run(
  { world, storm, faults }: Search,
  maxStates: number,
  breaks?: Rules['breaks'],
): Promise<Tally> {
  forget()
  const rules: Rules = { faults, ...(breaks && { breaks }) }
  const start = await startOf(worlds[world], storms[storm] as Storm, rules)
  return explore(start, rules, maxStates)
}

/** What several searches have gone through. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = noTally()
  for (const { states, steps, schedules, ends, faults } of tallies) {
    sum.states += states
    sum.steps += steps
    sum.schedules += schedules
    sum.ends += ends
    for (const kind of faultKinds) sum.faults[kind] += faults[kind]
  }
  return sum
}

export function tell({ states, steps, schedules, ends, faults }: Tally): string {
  const wrong = faultKinds.filter((kind) => faults[kind] > 0).map((kind) => `${kind} ${faults[kind]}`)
  const all = `${states} states, ${steps} steps, ${ends} ends, for ${schedules.toPrecision(3)} schedules`
  return wrong.length > 0 ? `${all}; at a step: ${wrong.join(', ')}` : all
}
