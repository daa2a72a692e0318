import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { executionPattern } from '../event-patterns.ts'
import type { DispatchMachine } from './dispatch-machine.ts'
import type { Functions } from './functions.ts'
import { secureQueue } from './secure-queue.ts'

interface WatchdogsProps {
  readonly functions: Functions
  readonly machine: DispatchMachine
}

/** Who notices what nobody else does: `reap` when a loop ends by a foreign hand, `sweep` every five minutes. */
export class Watchdogs extends Construct {
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { functions, machine }: WatchdogsProps) {
    super(scope, id)
    const { reap, sweep } = functions
    this.deadLetters = new Queue(this, 'DeadLetters', { ...secureQueue, retentionPeriod: Duration.days(14) })

    // Best effort, as Step Functions sends it; what gets lost here is found by the next sweep.
    new Rule(this, 'Ended', {
      eventPattern: executionPattern(machine.arn),
      targets: [new LambdaFunction(reap.lambda, { deadLetterQueue: this.deadLetters })],
    })
    reap.lambda.configureAsyncInvoke({ onFailure: new SqsDestination(this.deadLetters), retryAttempts: 2 })

    // No retries: the next sweep comes anyway, and two at once would do everything twice.
    sweep.lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(4) })
    new Rule(this, 'EveryFiveMinutes', {
      schedule: Schedule.rate(Duration.minutes(5)),
      targets: [new LambdaFunction(sweep.lambda, { retryAttempts: 0 })],
    })
  }
}
