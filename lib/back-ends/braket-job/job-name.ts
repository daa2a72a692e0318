import { type JobRef, parseJobName } from '../../domain/job-name.ts'

/**
 * The name of an attempt's hybrid job: the job's name with the hyphens of the dispatch id left out.
 *
 * At most 49 characters, where `jobName` has up to 53 and Braket takes 50; unlike a hash it can be read back.
 * Source: Braket API model, CreateJobRequestJobNameString: 1…50, `^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,50}$`.
 */
export function hybridJobName({ dispatchId, taskId, attempt }: JobRef): string {
  return `quench-${dispatchId.replaceAll('-', '')}-${taskId}-${attempt}`
}

/** The attempt behind a hybrid job's name, or undefined where the job is not ours. */
export function parseHybridJobName(name: string): JobRef | undefined {
  const [, a, b, c, d, e, rest] = /^quench-(.{8})(.{4})(.{4})(.{4})(.{12})-(\d+-\d+)$/.exec(name) ?? []
  return parseJobName(`quench-${a}-${b}-${c}-${d}-${e}-${rest}`)
}
