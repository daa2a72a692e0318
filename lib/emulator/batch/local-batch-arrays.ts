import { isEnded, type LocalJob } from './local-batch-job.ts'

/** The id of the job that SubmitJob made: of a child, its parent's. */
export const submittedId = (jobId: string): string => jobId.replace(/:\d+$/, '')

/**
 * A submitted job with the children that it has as an array job, as the records of a journal left them.
 *
 * The journal holds the input once, with the parent; of a child, only what changed.
 */
export function withChildren(job: LocalJob, records: ReadonlyMap<string, Partial<LocalJob>> = new Map()): LocalJob {
  const { jobId, createdAt, input } = job
  const size = input.arrayProperties?.size
  if (size === undefined) return job
  const children = Array.from({ length: size }, (_, arrayIndex): LocalJob => {
    const child = { jobId: `${jobId}:${arrayIndex}`, createdAt, input, arrayIndex, status: 'SUBMITTED' as const }
    return { ...child, ...records.get(child.jobId) }
  })
  return { ...job, children }
}

/**
 * How an array job ends, once all its children have; undefined before.
 *
 * Source: user guide, "Array jobs": a child that fails, by itself or by a termination, fails its parent as well.
 */
export function endOfArray({ children, statusReason }: LocalJob): Partial<LocalJob> | undefined {
  // Children start in their order, so one that is open is near the end.
  if (!children || children.findLast((child) => !isEnded(child))) return undefined
  const stoppedAt = Math.max(...children.map((child) => child.stoppedAt ?? 0))
  if (children.every(({ status }) => status === 'SUCCEEDED')) return { status: 'SUCCEEDED', stoppedAt }
  return { status: 'FAILED', stoppedAt, statusReason: statusReason ?? 'Array Child Job failed' }
}
