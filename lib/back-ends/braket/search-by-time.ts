import { BackendUnavailable, isBackendError } from '../../domain/errors.ts'
import type { Deadline, Found, Handle, SoughtJob } from '../executor.ts'

/** What a search answers with: some of what it found, and where the rest is. */
interface SearchPage {
  readonly handles: readonly (Handle & { readonly name: string })[]
  readonly nextToken?: string | undefined
}

/** One call: the jobs of ours that were made between two instants, both of them included. */
type SearchBetween = (from: Date, to: Date, nextToken: string | undefined) => Promise<SearchPage>

/**
 * What is looked through from its beginning to its end or not at all: at the highest rate of creates (20 a second, twice
 * that by request) it has 120 pages, which take less than half a minute at the quota of searches.
 */
const sliceMs = 5 * 60_000

/**
 * Look for many jobs with one search, for Braket cannot be asked for a name: through all that was made in the time of any
 * of them, slice by slice from the oldest on.
 *
 * What was looked through until the deadline, or until a page failed, need not be again: `searchedTo` says how far it came.
 * Shape: one answer a job, in the same order; of jobs with one name, each the same.
 * Errors: that of the first slice, when nothing was found.
 */
export async function searchByTime(
  jobs: readonly SoughtJob[],
  search: SearchBetween,
  deadline: Deadline | undefined,
): Promise<readonly Found[]> {
  const found = new Map<string, Handle>()
  const isPending = ({ name, madeBetween: [, to] }: SoughtJob, at: number) => !found.has(name) && to > at
  let searchedTo = Math.min(...jobs.map(({ madeBetween: [from] }) => from))
  let problem: Error | undefined
  while (problem === undefined) {
    const pending = jobs.filter((job) => isPending(job, searchedTo))
    if (pending.length === 0) break
    // Nothing is pending in between.
    const from = Math.max(searchedTo, Math.min(...pending.map(({ madeBetween: [first] }) => first)))
    const to = Math.min(from + sliceMs, Math.max(...pending.map(({ madeBetween: [, last] }) => last)))
    const names = new Set(pending.map(({ name }) => name))
    problem = await searchSlice(names, (token) => search(new Date(from), new Date(to), token), found, deadline)
    searchedTo = problem === undefined ? to : from
  }
  const isNew = jobs.some(({ madeBetween: [from] }) => searchedTo > from)
  if (problem !== undefined && found.size === 0 && !isNew) throw problem
  return jobs.map(({ name, madeBetween: [from, to] }): Found => {
    const handle = found.get(name)
    if (handle) return { outcome: 'found', handle }
    if (to <= searchedTo) return { outcome: 'none' }
    return { outcome: 'unknown', searchedTo: Math.max(from, searchedTo), ...(problem && { message: problem.message }) }
  })
}

/** Put what a slice has of `names` into `found`, until there is no more. Gives why it did not come to its end. */
async function searchSlice(
  names: Set<string>,
  search: (nextToken: string | undefined) => Promise<SearchPage>,
  found: Map<string, Handle>,
  deadline: Deadline | undefined,
): Promise<Error | undefined> {
  let nextToken: string | undefined
  try {
    do {
      if (deadline?.signal.aborted) return new BackendUnavailable('the search was not over in time', { arrived: 'no' })
      const page = await search(nextToken)
      for (const handle of page.handles) if (names.delete(handle.name)) found.set(handle.name, handle)
      nextToken = page.nextToken
    } while (nextToken && names.size > 0)
  } catch (error) {
    if (!isBackendError(error)) throw error
    return error
  }
  return undefined
}
