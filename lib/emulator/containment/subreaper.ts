import { readRunFile } from '../processes/job-run-file.ts'
import { childrenOf, isAlive, signalProcess } from '../processes/process-tree.ts'
import { findKeeper } from './keeper-program.ts'
import { createPauses } from './pauses.ts'
import type { HeldJob, Quiet, Rung } from './rung.ts'

/**
 * A keeper above each job's shell (see keeper-program.ts), for users who may not make cgroups.
 *
 * The keeper does the killing: all that the server does is to ask it, which works also when the server leaves at once.
 * Its regular end is the proof, as it ends so at ECHILD only. A job can kill its keeper, being of the same user: what is
 * left then is chased by `lastResort`, and the confirmation says so.
 */
export function createSubreaperRung(lastResort: Rung): Rung {
  const proof: Quiet = { containment: 'subreaper', what: 'ECHILD' }

  return {
    containment: 'subreaper',
    hold: (_, runFile) => {
      const keeper = findKeeper(runFile)
      if (!keeper) throw new Error('there is neither perl nor python3 to keep the job')
      return { keeper }
    },

    end: async (job) => {
      for (const pauses = createPauses(); ; ) {
        askKeeper(job)
        const end = await Promise.race([job.childEnd, pauses.next()])
        if (end) return end.signal === null ? proof : lastResort.end(job)
        if (job.childEnd) continue
        // In this order: the keeper writes its last line before it is gone.
        const isKept = isAliveKeeper(job)
        if (readRunFile(job.runFile)?.isQuiet) return proof
        if (!isKept) return lastResort.end(job)
      }
    },

    holdsSomething: (job) => {
      const isKept = isAliveKeeper(job)
      if (readRunFile(job.runFile)?.isQuiet) return false
      return isKept ? true : undefined
    },
    endNow: askKeeper,
    endAllNow: () => {},
    list: () => [],
    close: async () => {},
  }
}

const isAliveKeeper = ({ root }: HeldJob): boolean => root !== undefined && isAlive(root)

function askKeeper({ root }: HeldJob): void {
  // Without a child it is not ready yet, and would die of the signal; the shell that it starts then finds itself forestalled.
  if (!root || childrenOf(root.pid).length === 0) return
  signalProcess(root, 'SIGTERM')
  // The job may have stopped it.
  signalProcess(root, 'SIGCONT')
}
