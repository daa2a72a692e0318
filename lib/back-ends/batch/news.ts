import { parseJobName } from '../../domain/job-name.ts'
import { batchJobEvent } from '../../schema/news/batch-job-event.ts'
import type { JobNews } from '../executor.ts'
import { type BatchHandle, jobIdOf } from './handle.ts'
import { type BatchJobState, observeBatchJob } from './observe.ts'
import { packedTasks } from './packing.ts'

/**
 * What a `Batch Job State Change` event says about a job of ours; undefined for others' jobs and other events.
 *
 * A child of an array job has its parent's name and environment, so the event itself says for which task it stands.
 * The state of a parent says nothing about any one task, and is passed over.
 */
export function readBatchEvent(event: unknown): JobNews | undefined {
  const parsed = batchJobEvent.safeParse(event)
  if (!parsed.success) return undefined
  const { detail } = parsed.data
  const ref = parseJobName(detail.jobName)
  const { size, index } = detail.arrayProperties ?? {}
  const taskId = index === undefined ? ref?.taskId : packedTasks(detail)[index]
  if (!ref || taskId === undefined || (size && index === undefined)) return undefined
  return {
    ref: { ...ref, taskId },
    seen: observeBatchJob(detail as BatchJobState),
    isOf: (handle) => jobIdOf(handle as BatchHandle) === detail.jobId,
  }
}
