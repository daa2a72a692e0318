import type { Context } from '../context.ts'
import { submitAlone } from './submit-alone.ts'
import { submitPack } from './submit-pack.ts'
import type { Work } from './work.ts'

/** Submit the tasks of an action: each as a job of its own, or a pack as one. */
export async function submitJobs(context: Context, work: Work): Promise<readonly string[]> {
  if (work.action.pack !== undefined) return submitPack(context, work)
  return submitAlone(context, work, work.action.tasks)
}
