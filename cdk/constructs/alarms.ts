import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'

/** What somebody should look at, and where `docs/runbook.md` says how. */
export interface Watch {
  /** Also the heading in the runbook. */
  readonly title: string
  readonly metric: IMetric
  /** The alarm is raised at this value. Default 1. */
  readonly threshold?: number
  /** Periods in a row. Default 1. */
  readonly periods?: number
}

interface AlarmsProps {
  readonly config: Pick<QuenchConfig, 'name' | 'alarmEmails'>
  readonly watches: readonly Watch[]
}

/** Alarms, each with a heading in the runbook, and the topic that tells of them. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[]

  constructor(scope: Construct, id: string, { config, watches }: AlarmsProps) {
    super(scope, id)
    const topic = new Topic(this, 'Topic', { enforceSSL: true })
    for (const email of config.alarmEmails) topic.addSubscription(new EmailSubscription(email))
    const action = new SnsAction(topic)
    this.alarms = watches.map(({ title, metric, threshold = 1, periods = 1 }) => {
      const alarm = new Alarm(this, title.replaceAll(' ', ''), {
        alarmName: alarmNameOf(config, title),
        alarmDescription: `docs/runbook.md#${title.toLowerCase().replaceAll(' ', '-')}`,
        metric,
        threshold,
        evaluationPeriods: periods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      })
      alarm.addAlarmAction(action)
      alarm.addOkAction(action)
      return alarm
    })
  }
}

export function alarmNameOf({ name }: Pick<QuenchConfig, 'name'>, title: string): string {
  return `${name}: ${title}`
}
