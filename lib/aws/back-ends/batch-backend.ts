import { BatchClient } from '@aws-sdk/client-batch'
import { createBatchExecutor } from '../../back-ends/batch/executor.ts'
import type { ReadLogStream } from '../../back-ends/batch/log-stream.ts'
import type { Executor } from '../../back-ends/executor.ts'
import { clientOptions, onceOptions } from '../client-options.ts'
import type { Backends } from '../config.ts'

/** Jobs on AWS Batch, with the clients that they take. Logs are read where a reader of them is given. */
export function batchBackend(
  { jobQueues }: NonNullable<Backends['batch']>,
  readLogStream: ReadLogStream | undefined,
): Executor {
  return createBatchExecutor({
    batch: new BatchClient(clientOptions),
    submitter: new BatchClient(onceOptions),
    jobQueues,
    ...(readLogStream && { readLogStream }),
  })
}
