import { Duration, Stack } from 'aws-cdk-lib'
import { EventSourceMapping, FilterCriteria, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { announcedKeys } from '../../lib/store/dynamo/written-item.ts'
import type { DispatchTable } from './dispatch-table.ts'
import type { Functions } from './functions.ts'
import { secureQueue } from './secure-queue.ts'

interface AnnouncementsProps {
  readonly functions: Functions
  readonly table: DispatchTable
}

/**
 * The table's stream → `announce` → the default event bus; which writes it could not tell of goes to dead letters.
 *
 * The stream is read from its beginning, so that a deployment misses no write. A batch that fails is cut in two until
 * what is wrong stands alone; the rest of its shard waits meanwhile, and dispatches do not.
 */
export class Announcements extends Construct {
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { functions, table }: AnnouncementsProps) {
    super(scope, id)
    const { announce } = functions
    this.deadLetters = new Queue(this, 'DeadLetters', { ...secureQueue, retentionPeriod: Duration.days(14) })
    const { partition, region, account } = Stack.of(this)
    table.grantFollow(announce)
    announce.allow(['events:PutEvents'], [`arn:${partition}:events:${region}:${account}:event-bus/default`])

    // A deletion has no new image. Source: Lambda developer guide, "Using event filtering with a DynamoDB event source".
    const sk = { S: [announcedKeys.meta, { prefix: announcedKeys.taskPrefix }] }
    new EventSourceMapping(this, 'Writes', {
      target: announce.lambda,
      eventSourceArn: table.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: [FilterCriteria.filter({ dynamodb: { NewImage: { sk } } })],
      batchSize: 100,
      // Without it Lambda is called for every few writes. Source: Lambda developer guide, "Batching behavior".
      maxBatchingWindow: Duration.seconds(1),
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      // An outage of EventBridge is to be waited for; a write that cannot be read is not to hold up its shard for long.
      retryAttempts: 100,
      // The stream keeps its records for 24 hours: time is left to read again what is in the dead letters.
      maxRecordAge: Duration.hours(6),
      onFailure: new SqsDlq(this.deadLetters),
    })
  }
}
