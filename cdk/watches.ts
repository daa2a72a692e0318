import { Duration } from 'aws-cdk-lib'
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import type { QuenchConfig } from './config.ts'
import type { Watch } from './constructs/alarms.ts'
import type { DispatchMachine } from './constructs/dispatch-machine.ts'
import type { DispatchTable } from './constructs/dispatch-table.ts'
import type { Functions } from './constructs/functions.ts'
import type { QuenchFunction } from './constructs/quench-function.ts'

interface Watched {
  readonly functions: Functions
  readonly machine: DispatchMachine
  readonly table: DispatchTable
  readonly deadLetters: readonly Queue[]
  readonly bulkDeadLetters: Queue
  readonly spendAlarm: QuenchConfig['spendAlarm']
}

const period = Duration.minutes(5)

/** What somebody should look at; each title is a heading of `docs/runbook.md`. */
export function watchesOf({ functions, machine, table, deadLetters, ...more }: Watched): readonly Watch[] {
  const { all, turn, act, cancel, reap, sweep, announce } = functions
  return [
    { title: 'Unconfirmed jobs', metric: sweep.logged('unconfirmedJobs') },
    { title: 'Leaked jobs', metric: sweep.logged('leakedJobs') },
    {
      title: 'Dead letters',
      metric: sum(deadLetters.map(lettersIn)),
    },
    { title: 'Bulk dead letters', metric: lettersIn(more.bulkDeadLetters) },
    ...(more.spendAlarm ? [spendWatch(turn, more.spendAlarm)] : []),
    { title: 'Turn failures', metric: sum([errorsOf(turn), machine.machine.metricFailed({ period })]), threshold: 3 },
    {
      title: 'Loops that fail at once',
      metric: reap.decided('loop-failed-early', 'LoopsFailedEarly', { period }),
    },
    { title: 'Cancel failures', metric: errorsOf(cancel) },
    { title: 'Act failures', metric: errorsOf(act), threshold: 5 },
    { title: 'Sweep failures', metric: errorsOf(sweep), periods: 3 },
    { title: 'Late announcements', metric: announce.lambda.metric('IteratorAge', oldest), threshold: 600_000 },
    {
      title: 'Throttled functions',
      metric: sum(all.map(({ lambda }) => lambda.metricThrottles({ period }))),
      threshold: 5,
      periods: 2,
    },
    { title: 'Throttled table', metric: tableThrottles(table.tableName), threshold: 5, periods: 2 },
  ]
}

/** Milliseconds since the oldest write of a batch. Source: Lambda developer guide, "Types of metrics". */
const oldest = { statistic: Stats.MAXIMUM, period }

export const spendTitle = 'Spend rate'

/**
 * What was spent within the last hour. CloudWatch looks at the hour that has just gone by each time that it looks, every
 * minute. Source: CloudWatch user guide, "Alarm evaluation windows": sliding is the default.
 */
function spendWatch(turn: QuenchFunction, { usdPerHour }: NonNullable<QuenchConfig['spendAlarm']>): Watch {
  const metric = turn.decided('spend', 'SpendUsd', { field: 'spentUsd', period: Duration.hours(1) })
  return { title: spendTitle, metric, threshold: usdPerHour }
}

const lettersIn = (queue: Queue) => queue.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM })

const errorsOf = ({ lambda }: QuenchFunction) => lambda.metricErrors({ period })

/** The sum of several metrics. */
function sum(metrics: readonly IMetric[]): IMetric {
  const named = Object.fromEntries(metrics.map((metric, n) => [`m${n}`, metric]))
  return new MathExpression({ expression: Object.keys(named).join(' + '), usingMetrics: named, period })
}

/** What DynamoDB refused for want of capacity. */
function tableThrottles(tableName: string): IMetric {
  const of = (metricName: string) =>
    new Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensionsMap: { TableName: tableName },
      statistic: Stats.SUM,
      period,
    })
  return sum([of('ReadThrottleEvents'), of('WriteThrottleEvents')])
}
