import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import { alarmPattern, requestPattern } from '../event-patterns.ts'
import type { Functions } from './functions.ts'

interface TriggersProps {
  readonly config: QuenchConfig
  readonly functions: Functions
  readonly deadLetters: Queue
}

/** What cancels without a person: alarms through EventBridge, budgets (and whatever else) through SNS topics. */
export class Triggers extends Construct {
  constructor(scope: Construct, id: string, { config, functions, deadLetters }: TriggersProps) {
    super(scope, id)
    const { cancel } = functions
    config.triggers.forEach((trigger, index) => {
      const eventPattern = patternOf(trigger)
      if (!eventPattern) return
      const targets = [new LambdaFunction(cancel.lambda, { deadLetterQueue: deadLetters })]
      new Rule(this, `Rule${index}`, { eventPattern, targets })
    })
    cancel.lambda.configureAsyncInvoke({ onFailure: new SqsDestination(deadLetters), retryAttempts: 2 })
    const topics = new Set(config.triggers.flatMap(({ topicArn }) => topicArn ?? []))
    for (const [index, topicArn] of [...topics].entries()) {
      const topic = Topic.fromTopicArn(this, `Topic${index}`, topicArn)
      topic.addSubscription(new LambdaSubscription(cancel.lambda, { deadLetterQueue: deadLetters }))
    }
  }
}

/** Of a trigger that comes through EventBridge. */
function patternOf({ kind, name, topicArn }: QuenchConfig['triggers'][number]): EventPattern | undefined {
  if (topicArn !== undefined) return undefined
  if (kind === 'request') return requestPattern()
  return name === undefined ? undefined : alarmPattern(name)
}
