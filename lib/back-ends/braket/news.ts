import { parseJobName } from '../../domain/job-name.ts'
import { braketEvent } from '../../schema/news/braket-event.ts'
import { parseHybridJobName } from '../braket-job/job-name.ts'
import type { Handle, JobNews, Observation } from '../executor.ts'
import { observeHybridJob, observeQuantumTask } from './observe.ts'

/**
 * What a `Braket Task State Change` or `Braket Job State Change` event says about a job of ours; undefined for others'
 * jobs and other events.
 *
 * The end of a failure is left to `poll` where the event does not say why: a reason is written once.
 */
export function readBraketEvent(event: unknown): JobNews | undefined {
  const parsed = braketEvent.safeParse(event)
  if (!parsed.success) return undefined
  const { data } = parsed
  if (data['detail-type'] === 'Braket Task State Change') {
    const { quantumTaskArn, outputS3Directory } = data.detail
    const ref = firstOf(outputS3Directory.split('/'), parseJobName)
    return ref && { ref, seen: hintOf(observeQuantumTask(data.detail), data.detail), isOf: isOf(quantumTaskArn) }
  }
  const { jobArn, jobName } = data.detail
  const ref = firstOf([jobName ?? '', jobArn.slice(jobArn.lastIndexOf('/') + 1)], parseHybridJobName)
  return ref && { ref, seen: hintOf(observeHybridJob(data.detail), data.detail), isOf: isOf(jobArn) }
}

/** `GetQuantumTask` and `GetJob` know why it failed. */
function hintOf(seen: Observation, { failureReason }: { failureReason?: string }): Observation {
  const isPartial = seen.state === 'failed' && failureReason === undefined
  return isPartial ? { state: 'running' } : seen
}

const isOf = (arn: string) => (handle: Handle) => handle.arn === arn

function firstOf<From, To>(items: readonly From[], parse: (item: From) => To | undefined): To | undefined {
  for (const item of items) {
    const found = parse(item)
    if (found !== undefined) return found
  }
  return undefined
}
