import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessLooker } from '../processes/process-looker.ts'
import { keyOf, signalProcess } from '../processes/process-tree.ts'
import type { HeldJob, Quiet, Rung } from './rung.ts'

/** How long looks must find nothing, before an end is believed. */
const quietMs = 2_000
/** Between two looks; the looker itself sees to it that looking does not take up a core. */
const pauseMs = 20
/** How long what is new is only stopped: a job that forks faster than that is killed process by process. */
const stopMs = 1_000

/**
 * Nothing holds the processes: they are looked for, by environment, descent and session, and by having been seen before.
 *
 * All that a look finds is stopped, until looks find nothing new; then all of it is killed, until looks find nothing for
 * two seconds. What has cleared its environment, lost its parents and left its session before it was seen, is missed.
 */
export function createBestEffortRung(looker: ProcessLooker): Rung {
  const quiet = (what: string): Quiet => ({ containment: 'best effort', what: `best effort: ${what}` })

  const chase = async (job: HeldJob): Promise<Quiet> => {
    const stopped = new Set<string>()
    let stopUntil = performance.now() + stopMs
    let quietSince: number | undefined
    let hasLeftSomething = false
    for (;;) {
      const found = await looker.look(job)
      const now = performance.now()
      if (found.length === 0) {
        // A job that ended by itself and was seen to have left nothing need not keep those waiting that come after it.
        if (quietSince !== undefined && !job.wasStopped && !hasLeftSomething) return quiet('two looks found nothing')
        quietSince ??= now
        if (now - quietSince >= quietMs) return quiet('quiet for 2 s')
      } else {
        quietSince = undefined
        hasLeftSomething = true
        const fresh = found.filter((one) => !stopped.has(keyOf(one)))
        if (fresh.length > 0 && now < stopUntil) {
          for (const one of fresh) {
            stopped.add(keyOf(one))
            signalProcess(one, 'SIGSTOP')
          }
          continue
        }
        for (const one of found) signalProcess(one, 'SIGKILL')
        stopUntil = 0
      }
      await sleep(pauseMs)
    }
  }

  return {
    containment: 'best effort',
    hold: () => ({}),
    end: chase,
    holdsSomething: () => undefined,
    endNow: ({ root }) => {
      if (root) signalProcess(root, 'SIGKILL')
    },
    endAllNow: () => {},
    list: () => [],
    close: async () => {},
  }
}
