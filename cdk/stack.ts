import { CfnOutput, Fn, Stack, Tags } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { QuenchConfig } from './config.ts'
import { Alarms } from './constructs/alarms.ts'
import { Announcements } from './constructs/announcements.ts'
import { BackEnds } from './constructs/back-ends.ts'
import { Budgets } from './constructs/budgets.ts'
import { BulkCancels } from './constructs/bulk-cancels.ts'
import { DispatchDashboard } from './constructs/dispatch-dashboard.ts'
import { DispatchMachine } from './constructs/dispatch-machine.ts'
import { DispatchTable } from './constructs/dispatch-table.ts'
import { FargateQueue } from './constructs/fargate-queue.ts'
import { Functions } from './constructs/functions.ts'
import { HttpApi } from './constructs/http-api.ts'
import { JobEvents } from './constructs/job-events.ts'
import { Notifications } from './constructs/notifications.ts'
import { ResultsBucket } from './constructs/results-bucket.ts'
import { Triggers } from './constructs/triggers.ts'
import { Watchdogs } from './constructs/watchdogs.ts'
import { watchesOf } from './watches.ts'

/** Quench in one account and Region. */
export class QuenchStack extends Stack {
  /** The Region's first two, left to CloudFormation: the CDK would look them up, and need credentials to synthesise. */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs()))
  }

  constructor(scope: Construct, config: QuenchConfig) {
    super(scope, config.name, {
      description: 'Quench: workflow dispatch in which cancel really cancels.',
      env: {
        ...(config.account !== undefined && { account: config.account }),
        ...(config.region !== undefined && { region: config.region }),
      },
    })
    for (const [key, value] of Object.entries({ ...config.tags, 'quench:stack': config.name }))
      Tags.of(this).add(key, value)

    // What is kept.
    const table = new DispatchTable(this, 'Table', config)
    const results = new ResultsBucket(this, 'Results', config)

    // What runs, and on what.
    const backEnds = new BackEnds(this, 'BackEnds', { config, results })
    const functions = new Functions(this, 'Functions', config)
    const machine = new DispatchMachine(this, 'Dispatch', { config, functions, table })
    functions.grant({ table, machine, backEnds })
    const { fargate } = config.batch
    if (fargate) new FargateQueue(this, 'Fargate', { ...config, fargate, results }).grantReadLogs(functions.api)

    // What comes in.
    const api = new HttpApi(this, 'Api', { config, functions })
    const jobEvents = new JobEvents(this, 'JobEvents', { config, functions, results })
    const watchdogs = new Watchdogs(this, 'Watchdogs', { functions, machine })
    const bulk = new BulkCancels(this, 'BulkCancels', { config, functions })
    const budgets = new Budgets(this, 'Budgets', config)
    new Triggers(this, 'Triggers', { config, budgets, functions, deadLetters: watchdogs.deadLetters })

    // What goes out.
    const announcements = new Announcements(this, 'Announcements', { functions, table })
    const { notify, spendAlarm } = config
    if (notify) new Notifications(this, 'Notifications', { notify, deadLetters: announcements.deadLetters })

    // What tells those who run it.
    const deadLetters = [jobEvents, watchdogs, announcements].map((one) => one.deadLetters)
    const bulkDeadLetters = bulk.deadLetters
    const watches = watchesOf({ functions, machine, table, deadLetters, bulkDeadLetters, spendAlarm })
    const { alarms } = new Alarms(this, 'Alarms', { config, watches })
    new DispatchDashboard(this, 'Dashboard', { config, functions, machine, api, alarms })

    new CfnOutput(this, 'Url', { value: api.gateway.apiEndpoint, description: 'QUENCH_URL' })
    new CfnOutput(this, 'CancelFunction', {
      value: functions.cancel.lambda.functionName,
      description: 'cancels from the AWS console, too',
    })
    new CfnOutput(this, 'ResultsBucket', { value: results.bucket.bucketName })
    new CfnOutput(this, 'TableName', { value: table.tableName })
  }
}
