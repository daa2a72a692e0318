import { BatchClient } from '@aws-sdk/client-batch'
import { clientOptions, onceOptions } from '../client-options.ts'
import type { Executor } from '../executor.ts'
import type { BatchConfig } from './config.ts'
import { createBatchExecutor } from './executor.ts'
import type { ReadLogStream } from './log-stream.ts'

/**
 * Jobs on AWS Batch, with the clients that they take. Logs are read where a reader of them is given.
 *
 * A module of its own, so that of the SDK client only what is used is bundled.
 */
export function batchOnAws(
  { jobQueues }: NonNullable<BatchConfig['batch']>,
  readLogStream: ReadLogStream | undefined,
): Executor {
  return createBatchExecutor({
    batch: new BatchClient(clientOptions),
    submitter: new BatchClient(onceOptions),
    jobQueues,
    ...(readLogStream && { readLogStream }),
  })
}
