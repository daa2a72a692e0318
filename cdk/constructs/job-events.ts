import { Duration } from 'aws-cdk-lib'
import { Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import { batchPattern, braketJobPattern, braketTaskPattern } from '../event-patterns.ts'
import type { Functions } from './functions.ts'
import type { ResultsBucket } from './results-bucket.ts'
import { secureQueue } from './secure-queue.ts'

interface JobEventsProps {
  readonly config: QuenchConfig
  readonly functions: Functions
  readonly results: ResultsBucket
}

const batchSize = 100

/**
 * What back ends tell of their jobs → rules → queue → `job-events`; what that cannot digest goes to dead letters.
 *
 * The queue keeps bursts (the end of 10,000 jobs) from the function, and events from getting lost while it fails.
 */
export class JobEvents extends Construct {
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { config, functions, results }: JobEventsProps) {
    super(scope, id)
    const { jobEvents } = functions
    this.deadLetters = new Queue(this, 'DeadLetters', { ...secureQueue, retentionPeriod: Duration.days(14) })
    const queue = new Queue(this, 'Queue', {
      ...secureQueue,
      // Source: Lambda developer guide, "Using Lambda with Amazon SQS": six times the function's time-out.
      visibilityTimeout: Duration.seconds(6 * jobEvents.timeoutSeconds),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    })
    const patterns = {
      Batch: batchPattern(),
      ...(config.braket && {
        BraketTasks: braketTaskPattern(results.bucket.bucketName),
        BraketJobs: braketJobPattern(),
      }),
    }
    for (const [name, eventPattern] of Object.entries(patterns)) {
      new Rule(this, name, { eventPattern, targets: [new SqsQueue(queue, { deadLetterQueue: this.deadLetters })] })
    }
    jobEvents.lambda.addEventSource(
      new SqsEventSource(queue, {
        batchSize,
        maxBatchingWindow: Duration.seconds(1),
        reportBatchItemFailures: true,
        // A fleet that ends at once is not to take the concurrency that cancels need.
        maxConcurrency: 5,
      }),
    )
  }
}
