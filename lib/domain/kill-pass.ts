import { fencesOver } from './cancel-scope.ts'
import type { Dispatch, Fence, TaskRun } from './dispatch.ts'

const firstRepeatSeconds = 5
const longestRepeatSeconds = 60

export interface KillPass {
  /** What to stop now, by mode and reason; empty when no pass is due. */
  readonly groups: readonly KillGroup[]
  /** When the next pass is due; undefined when nothing in a fence's scope is running. */
  readonly nextAt?: number
}

export interface KillGroup {
  readonly mode: 'graceful' | 'force'
  readonly reason: string
  readonly runs: readonly TaskRun[]
}

/**
 * Which of the running jobs are to be stopped now.
 *
 * A pass goes over every running job that a fence covers. Passes are repeated after 5, 10, 20, 40, 60, 60 … seconds
 * until the back ends confirm, and at the moment when a grace is over and `graceful` becomes `force`.
 */
export function planKillPass(dispatch: Dispatch, running: readonly TaskRun[], now: number): KillPass {
  const fences = [...new Set(running.flatMap((run) => fencesOver(dispatch.fences, run.id)))]
  if (fences.length === 0) return { groups: [] }

  const { at: lastAt, count } = dispatch.killPass ?? { at: Number.NEGATIVE_INFINITY, count: 0 }
  const dueAt = [lastAt + repeatSeconds(count) * 1000, ...fences.map(forceAt).filter((at) => at > lastAt)]
  const nextAt = Math.min(...dueAt)
  if (nextAt > now) return { groups: [], nextAt }

  const groups = killGroups(dispatch, running, now)
  const later = fences.map(forceAt).filter((at) => at > now)
  return { groups, nextAt: Math.min(now + repeatSeconds(count + 1) * 1000, ...later) }
}

/** The running jobs that a fence covers, by the mode and reason to stop them with. */
export function killGroups(dispatch: Dispatch, running: readonly TaskRun[], now: number): readonly KillGroup[] {
  const groups = new Map<string, { mode: KillGroup['mode']; reason: string; runs: TaskRun[] }>()
  for (const run of running) {
    const fences = fencesOver(dispatch.fences, run.id)
    if (fences.length === 0) continue
    const [mode, reason] = [modeOf(fences, now), reasonOf(fences)]
    const group = groups.get(`${mode} ${reason}`)
    if (group) group.runs.push(run)
    else groups.set(`${mode} ${reason}`, { mode, reason, runs: [run] })
  }
  return [...groups.values()]
}

/** The first fence over a task gives the reason that its back end is told. */
export function reasonOf(fences: readonly Fence[]): string {
  return fences[0]?.reason ?? ''
}

/** `force` as soon as one fence asks for it, or its grace is over. */
export function modeOf(fences: readonly Fence[], now: number): 'graceful' | 'force' {
  return fences.some((fence) => forceAt(fence) <= now) ? 'force' : 'graceful'
}

function forceAt(fence: Fence): number {
  return fence.mode === 'force' ? fence.at : fence.at + fence.graceSeconds * 1000
}

function repeatSeconds(passes: number): number {
  return Math.min(longestRepeatSeconds, firstRepeatSeconds * 2 ** Math.max(0, passes - 1))
}
