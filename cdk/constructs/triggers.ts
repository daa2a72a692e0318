import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Trigger } from '../../lib/schema/trigger.ts'
import type { QuenchConfig } from '../config.ts'
import { alarmPattern, budgetPattern, requestPattern } from '../event-patterns.ts'
import { spendTitle } from '../watches.ts'
import { alarmNameOf } from './alarms.ts'
import type { Budgets } from './budgets.ts'
import type { Functions } from './functions.ts'

interface TriggersProps {
  readonly config: QuenchConfig
  readonly budgets: Budgets
  readonly functions: Functions
  readonly deadLetters: Queue
}

/**
 * What cancels without a person: alarms and events of ours through EventBridge, budgets (and whatever else) through SNS
 * topics. Those that the stack makes itself are among them.
 */
export class Triggers extends Construct {
  constructor(scope: Construct, id: string, { config, budgets, functions, deadLetters }: TriggersProps) {
    super(scope, id)
    const { cancel } = functions
    const triggers = [...config.triggers, ...budgets.triggers, ...spendTriggers(config)]
    cancel.setVariable('QUENCH_TRIGGERS', JSON.stringify(triggers))
    triggers.forEach((trigger, index) => {
      const eventPattern = patternOf(trigger)
      if (!eventPattern) return
      const targets = [new LambdaFunction(cancel.lambda, { deadLetterQueue: deadLetters })]
      new Rule(this, `Rule${index}`, { eventPattern, targets })
    })
    cancel.lambda.configureAsyncInvoke({ onFailure: new SqsDestination(deadLetters), retryAttempts: 2 })
    const foreign = new Set(config.triggers.flatMap(({ topicArn }) => topicArn ?? []))
    const topics = [...foreign].map((topicArn, index) => Topic.fromTopicArn(this, `Topic${index}`, topicArn))
    for (const topic of [...topics, ...(budgets.topic ? [budgets.topic] : [])])
      topic.addSubscription(new LambdaSubscription(cancel.lambda, { deadLetterQueue: deadLetters }))
  }
}

function spendTriggers(config: QuenchConfig): readonly Trigger[] {
  const { spendAlarm } = config
  return spendAlarm ? [{ kind: 'alarm', name: alarmNameOf(config, spendTitle), where: spendAlarm.where }] : []
}

/** Of a trigger that comes through EventBridge. */
function patternOf({ kind, name = '', alarmTags, topicArn }: Trigger): EventPattern | undefined {
  if (topicArn !== undefined) return undefined
  switch (kind) {
    case 'request':
      return requestPattern()
    case 'budget':
      return budgetPattern(name)
    case 'alarm':
      return alarmPattern(alarmTags ? { alarmTags } : { alarmName: name })
    default:
      return kind satisfies never
  }
}
