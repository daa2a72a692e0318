import { Duration } from 'aws-cdk-lib'
import { type Alarm, AlarmStatusWidget, Dashboard, GraphWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import type { DispatchMachine } from './dispatch-machine.ts'
import type { Functions } from './functions.ts'
import type { HttpApi } from './http-api.ts'

interface DispatchDashboardProps {
  readonly config: QuenchConfig
  readonly functions: Functions
  readonly machine: DispatchMachine
  readonly api: HttpApi
  readonly alarms: readonly Alarm[]
}

const period = Duration.minutes(5)

/** One page: alarms, dispatches, cancels, functions. */
export class DispatchDashboard extends Construct {
  constructor(scope: Construct, id: string, { config, functions, machine, api, alarms }: DispatchDashboardProps) {
    super(scope, id)
    const { cancel, all } = functions
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: config.name })
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24 }))
    dashboard.addWidgets(
      new GraphWidget({
        title: 'Loops',
        width: 12,
        left: [
          machine.machine.metricStarted({ period, label: 'started' }),
          machine.machine.metricSucceeded({ period, label: 'ended' }),
          machine.machine.metricAborted({ period, label: 'stopped' }),
          machine.machine.metricFailed({ period, label: 'failed' }),
        ],
      }),
      new GraphWidget({
        title: 'Cancels: how long the answer took',
        width: 12,
        left: [Stats.p(50), Stats.p(99)].map((statistic) =>
          cancel.lambda.metricDuration({ period, statistic, label: statistic }),
        ),
        right: [
          cancel.lambda.metricInvocations({ period, label: 'cancels' }),
          cancel.decided('ignore-event', 'IgnoredEvents', { period }).with({ label: 'events that asked for nothing' }),
        ],
      }),
    )
    dashboard.addWidgets(
      new GraphWidget({
        title: 'Functions: invocations',
        width: 8,
        left: all.map(({ lambda, name }) => lambda.metricInvocations({ period, label: name })),
      }),
      new GraphWidget({
        title: 'Functions: errors',
        width: 8,
        left: all.map(({ lambda, name }) => lambda.metricErrors({ period, label: name })),
      }),
      new GraphWidget({
        title: 'API',
        width: 8,
        left: [
          api.stage.metricCount({ period, label: 'requests' }),
          api.stage.metricClientError({ period, label: '4xx' }),
          api.stage.metricServerError({ period, label: '5xx' }),
        ],
      }),
    )
  }
}
