import { afterAll, describe, expect, test } from 'vitest'
import { Exhausted, type Tally } from './explore.ts'
import { nameOf, run, type Search, stormNames, sumOf, tell, worldNames } from './searches.ts'
import { faultKinds } from './world-state.ts'

/** What a search may go through before it is left: with 4 GB of memory there is room for them. */
const maxStates = Number(process.env.QUENCH_MAX_STATES ?? 2_000_000)

const searches: readonly Search[] = worldNames.flatMap((world) =>
  stormNames.flatMap((storm) => [[], faultKinds].map((faults) => ({ world, storm, faults }))),
)

/** Every world in every storm, with and without faults. What is too large is gone through as far as it goes, and says so. */
describe('every world in every storm:', () => {
  const tallies: Tally[] = []
  const cut: string[] = []

  test.each(searches.map((search) => ({ name: nameOf(search), search })))('$name', async ({ name, search }) => {
    try {
      const tally = await run(search, maxStates)
      expect(tally.ends).toBeGreaterThan(0)
      tallies.push(tally)
      console.log(`${name}: ${tell(tally)}`)
    } catch (error) {
      if (!(error instanceof Exhausted)) throw error
      tallies.push(error.tally)
      cut.push(name)
      console.log(`${name}: left after ${tell(error.tally)}`)
    }
  })

  afterAll(() => {
    console.log(`${tallies.length} searches, ${cut.length} of them left before their end: ${tell(sumOf(tallies))}`)
  })
})
