import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { killPid } from './kill-pid.ts'
import { createPauses } from './pauses.ts'
import { listGroups, removeGroup, removeServerGroup } from './remove-group.ts'
import type { Rung } from './rung.ts'

/**
 * A cgroup v2 for each job: `group` is that of the server, a job's is a folder in it.
 *
 * One write kills all members at once, whatever they fork meanwhile, and `populated 0` is the kernel's word that none is
 * left; processes die some time after the kill. Below Linux 5.14 there is no `cgroup.kill`: then the group is frozen,
 * which nothing forks out of, its members get SIGKILL one by one, and it is thawed.
 * Source: kernel documentation, "Control Group v2": cgroup.kill, cgroup.freeze, cgroup.events.
 */
export function createCgroupRung(group: string): Rung {
  const groupOf = (jobId: string) => join(group, jobId)

  const holdsSomething = (path: string): boolean => {
    try {
      return !/^populated 0$/m.test(readFileSync(join(path, 'cgroup.events'), 'utf8'))
    } catch (error) {
      // ENODEV: removed between the opening and the reading. Whatever else it is says nothing about the members.
      return !['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')
    }
  }

  const kill = (path: string): void => {
    try {
      if (existsSync(join(path, 'cgroup.kill'))) writeFileSync(join(path, 'cgroup.kill'), '1')
      else killFrozen(path)
    } catch {
      // It is gone, or we are asked again.
    }
  }

  return {
    containment: 'cgroup',
    hold: (jobId) => ({ group: groupOf(jobId), join: join(groupOf(jobId), 'cgroup.procs') }),

    end: async ({ jobId }) => {
      const path = groupOf(jobId)
      for (const pauses = createPauses(); ; await pauses.next()) {
        // A shell that was late may have joined since: until the group is gone, it is asked again.
        if (!holdsSomething(path) && removeGroup(path)) return { containment: 'cgroup', what: 'cgroup populated 0' }
        kill(path)
      }
    },

    holdsSomething: ({ jobId }) => holdsSomething(groupOf(jobId)),
    endNow: ({ jobId }) => kill(groupOf(jobId)),
    endAllNow: () => kill(group),
    list: () => listGroups(group),
    close: () => removeServerGroup(group),
  }
}

function killFrozen(path: string): void {
  writeFileSync(join(path, 'cgroup.freeze'), '1')
  for (const file of procsFiles(path)) {
    for (const pid of readFileSync(file, 'utf8').trim().split('\n')) killPid(Number(pid))
  }
  writeFileSync(join(path, 'cgroup.freeze'), '0')
}

function procsFiles(path: string): string[] {
  const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [join(path, 'cgroup.procs'), ...below.flatMap(({ name }) => procsFiles(join(path, name)))]
}
