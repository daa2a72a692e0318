import { BatchClient } from '@aws-sdk/client-batch'
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { createBatchExecutor } from '../executors/batch.ts'
import type { Executor } from '../executors/executor.ts'
import { clientOptions, onceOptions } from './client-options.ts'
import type { Backends } from './config.ts'

/** Jobs on AWS Batch, with the clients that they take. Logs are read where a client for them is given. */
export function batchBackend(
  { jobQueues }: NonNullable<Backends['batch']>,
  logs: Pick<CloudWatchLogsClient, 'send'> | undefined,
): Executor {
  return createBatchExecutor({
    batch: new BatchClient(clientOptions),
    submitter: new BatchClient(onceOptions),
    jobQueues,
    ...(logs && { logs }),
  })
}
