import { writeFileSync } from 'node:fs'
import { readRunFile } from '../processes/job-run-file.ts'
import { childrenOf, isAlive, type ProcessIdentity, readProcess, signalProcess } from '../processes/process-tree.ts'
import { createPauses } from './pauses.ts'
import type { HeldJob, Rung } from './rung.ts'

/**
 * Writes who the init of the namespace is, by the old /proc, reads the job's fate, and only then becomes the command.
 *
 * Whoever ends a job writes its fate, then looks for its init: one of both always sees the other.
 */
const init = `
IFS= read -r _quench_stat < /proc/self/stat
printf 'init %s\\n' "$_quench_stat" >> "$0" || exit 76
[ ! -e "$0.fate" ] || exit 137
mount -t proc proc /proc || exit 76
exec "$@"
`

/**
 * A PID namespace for each job, whose init is the command itself, as in a container: when it dies, so does all of it.
 *
 * It changes what a job sees (its processes only; TERM is ignored by an init that does not handle it), so it is taken
 * where it was asked for, and nowhere else.
 * Source: pid_namespaces(7): the kernel kills all members when init ends, and init is gone only after them; unshare(1).
 */
export function createNamespaceRung(lastResort: Rung): Rung {
  /** As its run file says; a job may have deleted that, so also as the third of the line shell, unshare, init. */
  const initOf = ({ runFile, root }: HeldJob): ProcessIdentity | undefined => {
    const { init } = readRunFile(runFile) ?? {}
    if (init || !root || !isAlive(root)) return init
    const [unshare = 0] = childrenOf(root.pid)
    return readProcess(childrenOf(unshare)[0] ?? 0)
  }

  return {
    containment: 'namespace',
    hold: (_, runFile) => ({
      wrapper: ['unshare', '--pid', '--mount', '--fork', '--kill-child=KILL', '/bin/sh', '-c', init, runFile],
    }),

    end: async (job) => {
      writeFate(job)
      let found: ProcessIdentity | undefined
      for (const pauses = createPauses(); ; await pauses.next()) {
        found ??= initOf(job)
        if (found) signalProcess(found, 'SIGKILL')
        // What the shell was about to start reads the fate, and ends.
        if (job.root) signalProcess(job.root, 'SIGKILL')
        if (found && !isAlive(found)) return { containment: 'namespace', what: 'the init of the PID namespace is gone' }
        if (!found && !(job.root && isAlive(job.root)) && !initOf(job)) return lastResort.end(job)
      }
    },

    holdsSomething: (job) => {
      const found = initOf(job)
      return found ? isAlive(found) : undefined
    },
    endNow: (job) => {
      writeFate(job)
      const found = initOf(job)
      if (found) signalProcess(found, 'SIGKILL')
    },
    endAllNow: () => {},
    list: () => [],
    close: async () => {},
  }
}

function writeFate({ runFile }: HeldJob): void {
  try {
    writeFileSync(`${runFile}.fate`, '')
  } catch {
    // The disk is full: init is looked for again and again, and so is what it leaves.
  }
}
