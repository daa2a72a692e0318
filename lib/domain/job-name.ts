/** Which attempt of which task a job stands for. */
export interface JobRef {
  readonly dispatchId: string
  readonly taskId: number
  readonly attempt: number
}

/**
 * The deterministic name of an attempt's job: `quench-<dispatchId>-<taskId>-<attempt>`.
 *
 * At most 58 characters, letters, digits and hyphens: it fits a Batch job name (128), a Braket client token (64), a
 * Slurm job name and a folder name.
 */
export function jobName({ dispatchId, taskId, attempt }: JobRef): string {
  return `quench-${dispatchId}-${taskId}-${attempt}`
}

const pattern = /^quench-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(\d{1,5})-(\d{1,3})$/

/** The attempt behind a job's name, or undefined where the job is not ours. */
export function parseJobName(name: string): JobRef | undefined {
  const match = pattern.exec(name)
  if (!match) return undefined
  const [, dispatchId = '', taskId, attempt] = match
  return { dispatchId, taskId: Number(taskId), attempt: Number(attempt) }
}
