import type { Executor, Handle, JobQuery, SoughtJob } from '../../lib/back-ends/executor.ts'

const minuteMs = 60_000

/** A job that may have been made within the last two minutes. */
export function soughtNow<Job extends JobQuery>(job: Job): Job & SoughtJob {
  return { ...job, madeBetween: [Date.now() - 2 * minuteMs, Date.now() + minuteMs] }
}

/** The handle of the job of this name; undefined where its back end has none. */
export async function findJob(executor: Executor, job: JobQuery): Promise<Handle | undefined> {
  const [found] = await executor.find([soughtNow(job)])
  if (found?.outcome === 'found') return found.handle
  if (found?.outcome === 'none') return undefined
  throw new Error(`the look for ${job.name} did not come to its end: ${found?.message}`)
}
