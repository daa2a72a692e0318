import { Rule } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import { noticeOf } from '../notices.ts'

interface NotificationsProps {
  readonly notify: NonNullable<QuenchConfig['notify']>
  readonly deadLetters: Queue
}

/** Sentences for people about what happens to their dispatches: rules on our own events, and a topic. */
export class Notifications extends Construct {
  constructor(scope: Construct, id: string, { notify, deadLetters }: NotificationsProps) {
    super(scope, id)
    const { topicArn, emails, on } = notify
    const topic =
      topicArn === undefined
        ? new Topic(this, 'Topic', { enforceSSL: true })
        : Topic.fromTopicArn(this, 'Topic', topicArn)
    for (const email of emails) topic.addSubscription(new EmailSubscription(email))
    for (const name of new Set(on)) {
      const { pattern, message } = noticeOf(name)
      new Rule(this, name, {
        eventPattern: pattern,
        targets: [new SnsTopic(topic, { message, deadLetterQueue: deadLetters })],
      })
    }
  }
}
