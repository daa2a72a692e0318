import { Stack } from 'aws-cdk-lib'
import { CfnBudget } from 'aws-cdk-lib/aws-budgets'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { Trigger } from '../../lib/schema/trigger.ts'
import type { QuenchConfig } from '../config.ts'

/**
 * Budgets of the account that cancel, and the topic that they tell.
 *
 * Only AWS Budgets, and only for this account, may publish to the topic.
 * Source: AWS Cost Management user guide, "Creating an Amazon SNS topic for budget notifications".
 */
export class Budgets extends Construct {
  readonly topic: Topic | undefined
  readonly triggers: readonly Trigger[]

  constructor(scope: Construct, id: string, { budgets }: Pick<QuenchConfig, 'budgets'>) {
    super(scope, id)
    this.topic = budgets.length > 0 ? this.addTopic() : undefined
    const { topic } = this
    this.triggers = topic
      ? budgets.map(({ name, where }) => ({ kind: 'budget', name, topicArn: topic.topicArn, where }))
      : []
    for (const [index, { name, limitUsd, timeUnit, atPercent }] of topic ? budgets.entries() : []) {
      const budget = new CfnBudget(this, `Budget${index}`, {
        budget: {
          budgetName: name,
          budgetType: 'COST',
          timeUnit,
          budgetLimit: { amount: limitUsd, unit: 'USD' },
        },
        notificationsWithSubscribers: [
          {
            notification: {
              notificationType: 'ACTUAL',
              comparisonOperator: 'GREATER_THAN',
              threshold: atPercent,
              thresholdType: 'PERCENTAGE',
            },
            subscribers: [{ subscriptionType: 'SNS', address: topic?.topicArn ?? '' }],
          },
        ],
      })
      // Budgets asks whether it may publish when the budget is made.
      if (topic) budget.node.addDependency(topic)
    }
  }

  private addTopic(): Topic {
    const { account, partition } = Stack.of(this)
    const topic = new Topic(this, 'Topic', { enforceSSL: true })
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('budgets.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:budgets::${account}:*` },
        },
      }),
    )
    return topic
  }
}
