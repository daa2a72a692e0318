import { callInGroups } from './call-in-groups.ts'
import type { Deadline, Found, Handle, SoughtJob } from './executor.ts'

/** Look for each job by a call of its own, where the back end can be asked for a name. Errors: as `callInGroups`. */
export function findEach(
  jobs: readonly SoughtJob[],
  findOne: (job: SoughtJob) => Promise<Handle | undefined>,
  deadline: Deadline | undefined,
): Promise<readonly Found[]> {
  return callInGroups({
    items: jobs,
    size: 1,
    deadline,
    call: (group) => Promise.all(group.map(async (job) => foundOf(await findOne(job)))),
    failed: ({ message }): Found => ({ outcome: 'unknown', message }),
  })
}

export const foundOf = (handle: Handle | undefined): Found =>
  handle ? { outcome: 'found', handle } : { outcome: 'none' }
