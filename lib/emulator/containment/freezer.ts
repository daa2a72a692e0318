import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { killPid } from './kill-pid.ts'
import { createPauses } from './pauses.ts'
import { listGroups, removeGroup, removeServerGroup } from './remove-group.ts'
import type { Rung } from './rung.ts'

/**
 * A cgroup of the v1 freezer for each job: frozen, its members can neither fork nor die, so all of them can be named.
 *
 * FREEZING takes a while, and a member that is in the kernel's hands keeps it from ending: what is there is killed all
 * the same, and looked at again. A group that is gone had no members.
 * Source: kernel documentation, "Cgroup Freezer" (v1): FROZEN must be written again while the state is FREEZING.
 */
export function createFreezerRung(group: string): Rung {
  const groupOf = (jobId: string) => join(group, jobId)

  /** Freeze, kill and thaw one group. */
  const sweep = (path: string): void => {
    const state = join(path, 'freezer.state')
    try {
      for (let tries = 0; tries < 20; tries++) {
        writeFileSync(state, 'FROZEN')
        if (readFileSync(state, 'utf8').trim() === 'FROZEN') break
      }
      for (const pid of membersOf(path)) killPid(pid)
    } catch {
      // Gone.
    } finally {
      thaw(state)
    }
  }

  return {
    containment: 'freezer',
    hold: (jobId) => ({ group: groupOf(jobId), join: join(groupOf(jobId), 'cgroup.procs') }),

    end: async ({ jobId }) => {
      const path = groupOf(jobId)
      for (const pauses = createPauses(); ; await pauses.next()) {
        if (membersOf(path).length === 0 && removeGroup(path))
          return { containment: 'freezer', what: 'freezer has no tasks' }
        for (const one of withGroupsBelow(path)) sweep(one)
      }
    },

    holdsSomething: ({ jobId }) => withGroupsBelow(groupOf(jobId)).some((path) => membersOf(path).length > 0),
    endNow: ({ jobId }) => withGroupsBelow(groupOf(jobId)).forEach(sweep),
    endAllNow: () => withGroupsBelow(group).forEach(sweep),
    list: () => listGroups(group),
    close: () => removeServerGroup(group),
  }
}

function thaw(state: string): void {
  try {
    writeFileSync(state, 'THAWED')
  } catch {
    // Gone.
  }
}

/** `tasks` has every thread: a process whose first thread has ended is only there. */
function membersOf(path: string): number[] {
  try {
    const text = readFileSync(join(path, 'tasks'), 'utf8').trim()
    return text === '' ? [] : text.split('\n').map(Number)
  } catch {
    return []
  }
}

function withGroupsBelow(path: string): string[] {
  return [path, ...listGroups(path).flatMap((name) => withGroupsBelow(join(path, name)))]
}
