import { SQSClient } from '@aws-sdk/client-sqs'
import type { BulkRunner } from '../../app/bulk-runner.ts'
import { clientOptions } from '../../back-ends/client-options.ts'
import { createSqsBulkRunner } from '../bulk-runner.ts'

const sqs = new SQSClient(clientOptions)

/** A module of our own, so that of the SDK client only what is used is bundled. */
export function bulkQueue(queueUrl: string): BulkRunner {
  return createSqsBulkRunner({ sqs, queueUrl })
}
