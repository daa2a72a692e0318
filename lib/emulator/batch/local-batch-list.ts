import type { JobSummary, ListJobsCommandInput } from '@aws-sdk/client-batch'
import { type LocalJob, summariseJob } from './local-batch-job.ts'

/**
 * A page of ListJobs, the newest first. Children of array jobs are not among the jobs of a queue.
 *
 * `named` are the jobs of a name in lower case.
 */
export function listJobs(
  input: ListJobsCommandInput,
  jobs: Iterable<LocalJob>,
  named: (name: string) => readonly LocalJob[],
): { readonly jobSummaryList: JobSummary[]; readonly nextToken?: string } {
  const filter = input.filters?.[0]?.values?.[0]?.toLowerCase()
  const { jobStatus = 'RUNNING', maxResults = filter ? 100 : 1000, nextToken } = input
  const submitted = function* () {
    for (const job of jobs) if (job.arrayIndex === undefined) yield job
  }
  const candidates =
    filter === undefined
      ? [...submitted()].filter(({ status }) => status === jobStatus)
      : filter.endsWith('*')
        ? [...submitted()].filter(({ input }) => input.jobName?.toLowerCase().startsWith(filter.slice(0, -1)))
        : named(filter)
  const matches = candidates
    .filter((job) => job.input.jobQueue === input.jobQueue)
    .reverse()
    .sort((a, b) => b.createdAt - a.createdAt)
  const from = Number(nextToken ?? 0)
  const end = from + maxResults
  const more = end < matches.length ? { nextToken: String(end) } : {}
  return { jobSummaryList: matches.slice(from, end).map(summariseJob), ...more }
}
