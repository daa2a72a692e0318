import { Duration } from 'aws-cdk-lib'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import type { Functions } from './functions.ts'
import { secureQueue } from './secure-queue.ts'

interface BulkCancelsProps {
  readonly config: Pick<QuenchConfig, 'reservedConcurrency'>
  readonly functions: Functions
}

/** So many messages of ten dispatches each are worked on side by side. */
const mostInvocations = 5

/**
 * Bulk cancellations: `cancel` writes them down and puts their dispatches into a queue, and works that off.
 *
 * At most half of what is set aside for `cancel`: a bulk cancellation does not keep others waiting.
 */
export class BulkCancels extends Construct {
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { config, functions }: BulkCancelsProps) {
    super(scope, id)
    const { cancel, sweep } = functions
    this.deadLetters = new Queue(this, 'DeadLetters', { ...secureQueue, retentionPeriod: Duration.days(14) })
    const queue = new Queue(this, 'Queue', {
      ...secureQueue,
      // Source: Lambda developer guide, "Using Lambda with Amazon SQS": six times the function's time-out.
      visibilityTimeout: Duration.seconds(6 * cancel.timeoutSeconds),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    })
    for (const sender of [cancel, sweep]) {
      sender.setVariable('QUENCH_BULK_QUEUE_URL', queue.queueUrl)
      sender.allow(['sqs:SendMessage'], [queue.queueArn])
    }
    const reserved = config.reservedConcurrency ? config.reservedConcurrency.cancel : 2 * mostInvocations
    const half = Math.floor(reserved / 2)
    cancel.lambda.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency: Math.min(mostInvocations, half),
      }),
    )
  }
}
