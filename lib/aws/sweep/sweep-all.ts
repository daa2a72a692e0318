import type { Aws } from '../compose.ts'
import { sweepBulks } from './sweep-bulks.ts'
import { sweepDispatches } from './sweep-dispatches.ts'
import { sweepJobs } from './sweep-jobs.ts'
import { tryAll } from './try-all.ts'

/** Every sweep there is, side by side: dispatches that are slow do not keep leaked jobs from being looked for. Errors: those of its parts together, when all have been tried. */
export async function sweepAll(aws: Aws): Promise<object> {
  const parts: Readonly<Record<string, () => Promise<object>>> = {
    dispatches: () => sweepDispatches(aws),
    'bulk cancellations': () => sweepBulks(aws.context),
    jobs: () => sweepJobs(aws.context),
  }
  return Object.assign(
    {},
    ...(await tryAll(Object.keys(parts).length, Object.keys(parts), async (part) => parts[part]?.())),
  )
}
