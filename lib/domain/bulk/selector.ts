import type { Dispatch } from '../dispatch.ts'
import { secondsPer } from '../duration.ts'

/**
 * Which of the open dispatches are meant: those that fit every condition. `all` is how to mean every one; without a
 * condition nothing is meant.
 *
 * Children are never meant by themselves: they go with their parents.
 */
export interface Selector {
  readonly all?: true
  /** All of them, with exactly these values. */
  readonly tags?: Readonly<Record<string, string>>
  /** `me` stands for whoever asks. */
  readonly owner?: string
  /** Default `running`: those that are being cancelled already are meant only when it says so. */
  readonly status?: SelectableStatus
  readonly olderThanSeconds?: number
  /** An executor that the dispatch uses. */
  readonly backend?: string
  /** Of the graph. */
  readonly name?: string
}

export const selectableStatuses = ['running', 'cancelling'] as const
export type SelectableStatus = (typeof selectableStatuses)[number]

/** What a selector looks at, as `status` and `executors` are when they are looked at. */
export type Candidate = Pick<Dispatch, 'owner' | 'tags' | 'name' | 'createdAt'> & {
  readonly status: SelectableStatus
  readonly executors: readonly string[]
}

export function matches(selector: Selector, candidate: Candidate, now: number): boolean {
  const { tags = {}, owner, status = 'running', olderThanSeconds, backend, name } = selector
  return (
    candidate.status === status &&
    (owner === undefined || candidate.owner === owner) &&
    (name === undefined || candidate.name === name) &&
    (backend === undefined || candidate.executors.includes(backend)) &&
    (olderThanSeconds === undefined || now - candidate.createdAt >= olderThanSeconds * 1000) &&
    Object.entries(tags).every(([key, value]) => Object.hasOwn(candidate.tags, key) && candidate.tags[key] === value)
  )
}

/** What is wrong with a selector as a whole, however it was written. */
export function selectorProblem({ all, ...conditions }: Selector): string | undefined {
  const { tags = {}, ...others } = conditions
  const isEmpty = Object.keys(tags).length === 0 && Object.keys(others).length === 0
  if (!all && isEmpty) return 'it names no condition: say all:true where every open dispatch is meant'
  if (all && !isEmpty) return 'all:true stands alone: leave it out, or the other conditions'
  return undefined
}

/** A selector as `parseSelector` takes it; always the same text for the same conditions. */
export function writeSelector(selector: Selector): string {
  const { all, tags = {}, owner, status, olderThanSeconds, backend, name } = selector
  const conditions: readonly [string, string | undefined][] = [
    ['all', all && 'true'],
    ...Object.keys(tags)
      .sort()
      .map((key): [string, string] => ['tag', `${key}=${tags[key]}`]),
    ['owner', owner],
    ['name', name],
    ['status', status],
    ['older', olderThanSeconds === undefined ? undefined : writeDuration(olderThanSeconds)],
    ['backend', backend],
  ]
  return conditions.flatMap(([key, value]) => (value === undefined ? [] : [`${key}:${quote(value)}`])).join(' ')
}

function quote(value: string): string {
  return /^[^\s"\\]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`
}

function writeDuration(seconds: number): string {
  const unit = (['d', 'h', 'm'] as const).find((one) => seconds % secondsPer[one] === 0) ?? 's'
  return `${seconds / secondsPer[unit]}${unit}`
}
