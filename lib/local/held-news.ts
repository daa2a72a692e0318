import type { JobNews } from '../back-ends/executor.ts'
import { readNews } from '../back-ends/registry.ts'
import { type ContainmentOf, withContainment } from '../back-ends/with-containment.ts'
import type { BatchJobEvent } from '../emulator/batch/local-batch-job.ts'
import type { BraketEvent } from '../emulator/braket/local-braket-records.ts'

/** The news in an event of the emulator, with what the emulator knows of what held the job together. */
export function readHeldNews(event: BatchJobEvent | BraketEvent, containmentOf: ContainmentOf): JobNews | undefined {
  const news = readNews(event)
  const { jobId, jobArn } = event.detail as Partial<Record<'jobId' | 'jobArn', string>>
  return news && { ...news, seen: withContainment(news.seen, containmentOf(jobId ?? jobArn ?? '')) }
}
