import { InvalidInput } from '../../domain/errors.ts'
import { hostJobName } from '../run-command/host-script.ts'

export interface SlurmJob {
  readonly name: string
  /** 0: not known when the job was launched, or there never was one. */
  readonly jobId: number
  /** One element of a job array. */
  readonly arrayIndex?: number
}

/** The option of squeue that shows elements of arrays apart. */
export const eachElement = (jobs: readonly SlurmJob[]) =>
  jobs.some(({ arrayIndex }) => arrayIndex !== undefined) ? '--array' : ''

/** One line a group of jobs with the same dispatch, one short line a job: 1,000 jobs are about 15 KB. */
export function listJobs(jobs: readonly SlurmJob[]): string {
  let group = ''
  const lines: string[] = []
  for (const { name, jobId, arrayIndex } of jobs) {
    const prefix = /^.*?(?=\d+-\d+$)/.exec(checkedName(name))?.[0] ?? ''
    const header = `@ .${prefix}`
    if (header !== group) lines.push(header)
    group = header
    lines.push(`${name.slice(prefix.length)} ${jobId}${arrayIndex === undefined ? '' : `_${arrayIndex}`}`)
  }
  return lines.join('\n')
}

/** Errors: InvalidInput where it cannot be the name of a job and of its folder. */
export function checkedName(name: string): string {
  if (!hostJobName.test(name))
    throw new InvalidInput(`${JSON.stringify(name)} cannot be the name of a job on a cluster`)
  return name
}
