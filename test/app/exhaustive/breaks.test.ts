import { expect, test } from 'vitest'
import {
  claimsReadBeforeFence,
  claimsWithoutCondition,
  fenceOverAnyEpoch,
  fenceReadBeforeClaim,
  noSecondFenceRead,
  noVersionCondition,
  twinsAreKept,
} from './breaks.ts'
import { run, type Search } from './searches.ts'
import { faultKinds } from './world-state.ts'

const start: Search = { world: 'a Batch task', storm: 'a start is cancelled', faults: [] }

/** What the search is to say of each way to break the code. */
const cases = [
  { breaks: fenceReadBeforeClaim, search: start, says: /P1: task 0 begins though its claim came after the fence/ },
  { breaks: noSecondFenceRead, search: start, says: /P1: .* runs on behind a fence/ },
  { breaks: claimsReadBeforeFence, search: start, says: /P9: .* was not asked to stop when .* acknowledged/ },
  {
    breaks: claimsWithoutCondition,
    search: { ...start, storm: 'two loops start it, and it is cancelled' },
    says: /task 0 runs twice/,
  },
  {
    breaks: noVersionCondition,
    search: { ...start, storm: 'what has just ended is settled and cancelled' },
    says: /P1: a fence is gone/,
  },
  { breaks: twinsAreKept, search: { ...start, storm: 'a start', faults: faultKinds }, says: /P2: .* after the end/ },
  {
    breaks: fenceOverAnyEpoch,
    search: { ...start, storm: 'a cancel that is sent twice meets a turn and a redrive' },
    says: /a fence that was there before comes again/,
  },
] as const

test.each(cases)('the search finds $breaks.name', async ({ breaks, search, says }) => {
  await expect(run(search, 200_000, breaks)).rejects.toThrow(says)
})
