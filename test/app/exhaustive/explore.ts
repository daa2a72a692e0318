import type { Rules } from './choices.ts'
import { type Choice, choicesOf, describeChoice, isEnd } from './choices.ts'
import { checkEnd } from './promises-at-rest.ts'
import { Violation } from './promises-in-steps.ts'
import { take } from './steps.ts'
import { digest, faultKinds, type WorldState } from './world-state.ts'

/** What a search has gone through. */
export interface Tally {
  /** Different states; what was found in one holds for every schedule that comes to it. */
  states: number
  steps: number
  /** The schedules that these states and steps stand for: every way from the beginning to an end. */
  schedules: number
  ends: number
  /** Steps at which something went wrong, by what it was. */
  readonly faults: Record<(typeof faultKinds)[number], number>
}

export const noTally = (): Tally => ({
  states: 0,
  steps: 0,
  schedules: 0,
  ends: 0,
  faults: Object.fromEntries(faultKinds.map((is) => [is, 0])) as Tally['faults'],
})

/** A search that has gone through as many states as it may. */
export class Exhausted extends Error {
  override name = 'Exhausted'
  readonly tally: Tally

  constructor(tally: Tally) {
    super(`more than ${tally.states - 1} states`)
    this.tally = tally
  }
}

/** A state on the way that the search is on, and which of its choices it has taken. */
interface Frame {
  readonly state: WorldState
  readonly key: string
  readonly choices: readonly Choice[]
  at: number
  schedules: number
}

/**
 * Go through every order of every step from `start`, each state once: depth first, with a table of the states that were
 * visited. Errors: Violation, with the schedule that leads to it; Exhausted when there are more than `maxStates`.
 */
export async function explore(start: WorldState, rules: Rules, maxStates: number): Promise<Tally> {
  const tally = noTally()
  /** By state: how many schedules go on from it. */
  const visited = new Map<string, number>()
  const frames: Frame[] = []

  const enter = (state: WorldState, key: string) => {
    tally.states += 1
    if (tally.states > maxStates) throw new Exhausted(tally)
    const end = isEnd(state)
    if (end) {
      checkEnd(state)
      tally.ends += 1
    }
    frames.push({ state, key, choices: choicesOf(state, rules), at: 0, schedules: end ? 1 : 0 })
  }

  try {
    enter(start, digest(start))
    for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
      const choice = frame.choices[frame.at]
      if (!choice) {
        frames.pop()
        visited.set(frame.key, frame.schedules)
        const before = frames.at(-1)
        if (before) before.schedules += frame.schedules
        else tally.schedules = frame.schedules
        continue
      }
      frame.at += 1
      tally.steps += 1
      if (choice.is in tally.faults) tally.faults[choice.is as keyof Tally['faults']] += 1
      const next = await take(frame.state, choice, rules)
      const key = digest(next)
      const known = visited.get(key)
      if (known === undefined) enter(next, key)
      else frame.schedules += known
    }
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'Violation') throw error
    const schedule = frames.map(({ state, choices, at }) => {
      const taken = choices[at - 1]
      return taken ? describeChoice(state, taken) : ''
    })
    throw new Violation([error.message, ...schedule].join('\n  '), { cause: error })
  }
  return tally
}
