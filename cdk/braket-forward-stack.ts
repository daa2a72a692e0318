import { Stack, type StackProps } from 'aws-cdk-lib'
import { EventBus, Rule } from 'aws-cdk-lib/aws-events'
import { EventBus as EventBusTarget } from 'aws-cdk-lib/aws-events-targets'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'

interface BraketForwardStackProps extends StackProps {
  /** Where Quench is. */
  readonly homeRegion: string
}

/**
 * Braket tells of a task in the Region of its device: this sends it on to where Quench is.
 *
 * Source: EventBridge user guide, "Sending and receiving events between Regions"; within an account the rule's role is
 * enough. What cannot be delivered within a day is kept for two weeks; polls have told the same by then.
 */
export class BraketForwardStack extends Stack {
  constructor(scope: Construct, id: string, { homeRegion, ...props }: BraketForwardStackProps) {
    super(scope, id, props)
    const home = EventBus.fromEventBusArn(
      this,
      'Home',
      `arn:${this.partition}:events:${homeRegion}:${this.account}:event-bus/default`,
    )
    const deadLetterQueue = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    })
    new Rule(this, 'Forward', {
      eventPattern: { source: ['aws.braket'], detailType: ['Braket Task State Change', 'Braket Job State Change'] },
      targets: [new EventBusTarget(home, { deadLetterQueue })],
    })
  }
}
