import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import { dispatchDefinition } from '../dispatch-definition.ts'
import type { DispatchTable } from './dispatch-table.ts'
import type { QuenchFunction } from './quench-function.ts'

interface DispatchMachineProps {
  readonly config: QuenchConfig
  readonly functions: { readonly turn: QuenchFunction; readonly act: QuenchFunction }
  readonly table: DispatchTable
}

/**
 * The loop of a dispatch: turn → act → rest (`dispatch-definition.ts`).
 *
 * It has a name of our own: the functions that it calls need its ARN, and its definition needs theirs.
 */
export class DispatchMachine extends Construct {
  readonly machine: StateMachine
  readonly arn: string
  private readonly executionsArn: string

  constructor(scope: Construct, id: string, { config, functions, table }: DispatchMachineProps) {
    super(scope, id)
    const { turn, act } = functions
    const stateMachineName = `${config.name}-dispatch`
    const stack = Stack.of(this)
    const arnOf = (resource: string, rest: string) =>
      `arn:${stack.partition}:states:${stack.region}:${stack.account}:${resource}:${rest}`
    this.arn = arnOf('stateMachine', stateMachineName)
    this.executionsArn = arnOf('execution', `${stateMachineName}:*`)

    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') })
    const definition = dispatchDefinition({
      turnArn: turn.lambda.functionArn,
      actArn: act.lambda.functionArn,
      tableName: table.tableName,
      stateMachineArn: this.arn,
      partition: stack.partition,
    })
    const allow = (actions: string[], resources: string[]) =>
      role.addToPolicy(new PolicyStatement({ actions, resources }))
    allow(['lambda:InvokeFunction'], [turn.lambda.functionArn, act.lambda.functionArn])
    // The rest: the task token is stored by the machine itself.
    allow(['dynamodb:UpdateItem'], [table.tableArn])
    // Long dispatches are handed over to a new execution.
    allow(['states:StartExecution'], [this.arn])

    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(stack.toJsonString(definition)),
      role,
      tracingEnabled: true,
      logs: {
        destination: new LogGroup(this, 'Logs', {
          // Step Functions adds a statement a log group to one resource policy; under this prefix it need not.
          logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
          retention: config.retention.logDays,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ALL,
        // Ids and counts only: the definition passes nothing else, but a later one might.
        includeExecutionData: false,
      },
    })
  }

  /** Let a function start the loop of a dispatch. */
  grantStart(target: QuenchFunction): void {
    this.tell(target)
    target.allow(['states:StartExecution'], [this.arn])
  }

  /** Let a function stop a loop. */
  grantStop(target: QuenchFunction): void {
    this.tell(target)
    target.allow(['states:StopExecution'], [this.executionsArn])
  }

  /** Let a function see how a loop has ended. */
  grantDescribe(target: QuenchFunction): void {
    this.tell(target)
    target.allow(['states:DescribeExecution'], [this.executionsArn])
  }

  /** Let a function end the rest of a loop: the token that it gives back names no resource. */
  grantWake(target: QuenchFunction): void {
    this.tell(target)
    target.allow(['states:SendTaskSuccess'], ['*'])
  }

  private tell(target: QuenchFunction): void {
    target.setVariable('QUENCH_STATE_MACHINE_ARN', this.arn)
  }
}
