import type { Dispatch } from '../dispatch.ts'
import type { Fence } from '../fence.ts'
import type { TaskRun } from '../task-run.ts'

const firstRepeatSeconds = 5
const longestRepeatSeconds = 60

/** Why a job is to be stopped, and how: a fence over its task, or the end of its time. */
export interface Stop extends Pick<Fence, 'mode' | 'graceSeconds' | 'reason' | 'at'> {
  readonly isTimeLimit?: true
}

/** The stops over an attempt, oldest first. */
export type StopsOf = (run: TaskRun) => readonly Stop[]

export interface KillPass {
  /** What to stop now, by mode and reason; empty when no pass is due. */
  readonly groups: readonly KillGroup[]
  /** With a pass: which one it is, from 1. They are counted anew when the time of another job is over. */
  readonly count?: number
  /** When the next pass is due; undefined when nothing that runs is to be stopped. */
  readonly nextAt?: number
}

export interface KillGroup {
  readonly mode: 'graceful' | 'force'
  readonly reason: string
  readonly graceSeconds: number
  readonly isTimeLimit?: true
  readonly runs: readonly TaskRun[]
}

/**
 * Which of the running jobs are to be stopped now.
 *
 * A pass goes over every running job that has a stop over it. Passes are repeated after 5, 10, 20, 40, 60, 60 … seconds
 * until the back ends confirm, and at the moment when a grace is over and `graceful` becomes `force`.
 */
export function planKillPass(
  killPass: Dispatch['killPass'],
  running: readonly TaskRun[],
  stopsOf: StopsOf,
  now: number,
): KillPass {
  const stops = [...new Set(running.flatMap(stopsOf))]
  if (stops.length === 0) return { groups: [] }

  const { at: lastAt, count: made } = killPass ?? { at: Number.NEGATIVE_INFINITY, count: 0 }
  // What came up since the last pass has never been asked to stop.
  const isNew = stops.some((stop) => stop.isTimeLimit && stop.at > lastAt)
  const dueAt = [isNew ? now : lastAt + repeatSeconds(made) * 1000, ...stops.map(forceAt).filter((at) => at > lastAt)]
  const nextAt = Math.min(...dueAt)
  if (nextAt > now) return { groups: [], nextAt }

  const groups = killGroups(running, stopsOf, now)
  const count = isNew ? 1 : made + 1
  const later = stops.map(forceAt).filter((at) => at > now)
  return { groups, count, nextAt: Math.min(now + repeatSeconds(count) * 1000, ...later) }
}

/** The running jobs that are to be stopped, by how and why. */
export function killGroups(running: readonly TaskRun[], stopsOf: StopsOf, now: number): readonly KillGroup[] {
  const groups = new Map<string, { runs: TaskRun[] } & KillGroup>()
  for (const run of running) {
    const stops = stopsOf(run)
    const [first] = stops
    if (!first) continue
    const how = {
      mode: modeOf(stops, now),
      reason: first.reason,
      graceSeconds: first.graceSeconds,
      ...(first.isTimeLimit && { isTimeLimit: true as const }),
    }
    const key = JSON.stringify(how)
    const group = groups.get(key)
    if (group) group.runs.push(run)
    else groups.set(key, { ...how, runs: [run] })
  }
  return [...groups.values()]
}

/** `force` as soon as one stop asks for it, or its grace is over. */
export function modeOf(stops: readonly Stop[], now: number): 'graceful' | 'force' {
  return stops.some((stop) => forceAt(stop) <= now) ? 'force' : 'graceful'
}

function forceAt(stop: Stop): number {
  return stop.mode === 'force' ? stop.at : stop.at + stop.graceSeconds * 1000
}

function repeatSeconds(passes: number): number {
  return Math.min(longestRepeatSeconds, firstRepeatSeconds * 2 ** Math.max(0, passes - 1))
}
