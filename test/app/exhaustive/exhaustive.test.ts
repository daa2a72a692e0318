import { afterAll, describe, expect, test } from 'vitest'
import type { Tally } from './explore.ts'
import { nameOf, run, type Search, type StormName, sumOf, tell, type WorldName } from './searches.ts'
import { faultKinds } from './world-state.ts'

/** No search here comes near it: a search that does has become another one. */
const maxStates = 60_000

const quiet = (world: WorldName, storm: StormName): Search => ({ world, storm, faults: [] })
const faulty = (world: WorldName, storm: StormName): Search => ({ world, storm, faults: faultKinds })

const searches: readonly Search[] = [
  faulty('two tasks', 'a start'),
  faulty('a pack on SSH', 'a start'),
  faulty('a child', 'a start'),
  faulty('a Batch task', 'a start is cancelled'),
  faulty('an SSH task', 'a start is cancelled'),
  faulty('an SSH task', 'a start is cancelled in part'),
  faulty('a Braket task', 'what runs is cancelled while it is polled and ends'),
  faulty('a pack on Batch', 'a start is cancelled'),
  faulty('a pack on SSH', 'a start is cancelled in part'),
  faulty('two tasks', 'what runs is cancelled, and nobody else acts'),
  faulty('two children', 'what runs is cancelled, and nobody else acts'),
  quiet('two tasks', 'a start is cancelled'),
  quiet('two tasks', 'a start is cancelled in part'),
  quiet('two tasks', 'what runs is cancelled while it is polled and ends'),
  quiet('a chain', 'a start is cancelled in part'),
  quiet('a Batch task', 'two loops start it, and it is cancelled'),
  quiet('an SSH task', 'two loops start it, and it is cancelled'),
  quiet('a Batch task', 'a start is cancelled twice'),
  quiet('a child', 'a start is cancelled'),
  quiet('a child', 'what runs is cancelled while it is polled and ends'),
  quiet('a task and a child', 'a start is cancelled in part'),
  quiet('two tasks', 'a redrive meets a late cancel, an old turn and an old submit'),
  faulty('a Batch task', 'a redrive meets a late cancel, an old turn and an old submit'),
  faulty('an SSH task', 'what has just ended is settled and cancelled'),
  quiet('a Batch task', 'a cancel that is sent twice meets a turn and a redrive'),
  // Once, a turn that was slow took the new attempt of a redriven task out of the live index.
  faulty('a Batch task', 'a redrive by force meets a turn of what is being stopped'),
  quiet('a pack on Batch', 'a redrive by force meets a turn of what is being stopped'),
  quiet('two tasks', 'a redrive by force meets another cancel'),
  quiet('a Batch task', 'a submit, a turn, a cancel, a poll and a redrive at once'),
  quiet('an SSH task', 'a submit, a turn, a cancel in part, a poll and a redrive at once'),
]

describe('in every order of the steps every promise holds:', () => {
  const tallies: Tally[] = []

  test.each(searches.map((search) => ({ name: nameOf(search), search })))('$name', async ({ name, search }) => {
    const tally = await run(search, maxStates)
    expect(tally.ends).toBeGreaterThan(0)
    tallies.push(tally)
    console.log(`${name}: ${tell(tally)}`)
  })

  afterAll(() => console.log(`${tallies.length} searches: ${tell(sumOf(tallies))}`))
})
