import { AssetHashType, DockerImage, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { FilterPattern, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { bundleFunction, type FunctionName } from '../bundle.ts'

interface QuenchFunctionProps {
  readonly name: FunctionName
  readonly description: string
  readonly timeoutSeconds: number
  readonly memoryMiB: number
  readonly logRetention: RetentionDays
  readonly reservedConcurrency?: number
  /** Events that it could not take in time, or failed with, are dropped: they would come late, and whoever sent them sends others. */
  readonly isLeftAlone?: boolean
}

/**
 * A function of `functions/`: Node.js 24 on arm64, with a role and a log group of its own.
 *
 * Its role may write its own logs and traces; constructs add what else it may, together with the variable by which it
 * finds it.
 */
export class QuenchFunction extends Construct {
  readonly lambda: LambdaFunction
  readonly role: Role
  readonly logGroup: LogGroup
  readonly name: FunctionName
  readonly timeoutSeconds: number

  constructor(scope: Construct, id: string, props: QuenchFunctionProps) {
    super(scope, id)
    this.name = props.name
    this.timeoutSeconds = props.timeoutSeconds
    this.logGroup = new LogGroup(this, 'Logs', { retention: props.logRetention, removalPolicy: RemovalPolicy.DESTROY })
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [this.logGroup.logGroupArn])
    this.lambda = new LambdaFunction(this, 'Function', {
      description: props.description,
      code: bundled(props.name),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: this.role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMiB,
      ...(props.isLeftAlone && { retryAttempts: 0, maxEventAge: Duration.seconds(60) }),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
    })
  }

  setVariable(name: string, value: string): void {
    this.lambda.addEnvironment(name, value)
  }

  allow(actions: readonly string[], resources: readonly string[], equals?: Readonly<Record<string, string>>): void {
    const conditions = equals && { StringEquals: equals }
    this.role.addToPolicy(
      new PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        ...(conditions && { conditions }),
      }),
    )
  }

  /**
   * What the function has logged of a decision, `{ message: { decision: 'spend', spentUsd: 0.25 } }`: how much of a field,
   * or how often. As a sum.
   */
  decided(decision: string, metricName: string, { field, period }: { field?: string; period: Duration }): Metric {
    const isDecision = FilterPattern.stringValue('$.message.decision', '=', decision)
    const filter = this.logGroup.addMetricFilter(metricName, {
      metricNamespace: `Quench/${Stack.of(this).stackName}`,
      metricName,
      filterPattern:
        field === undefined
          ? isDecision
          : FilterPattern.all(isDecision, FilterPattern.numberValue(`$.message.${field}`, '>', 0)),
      metricValue: field === undefined ? '1' : `$.message.${field}`,
    })
    return filter.metric({ statistic: Stats.SUM, period })
  }

  /** A number of the function's log lines, `{ message: { <field>: 3 } }` in Lambda's JSON format; the most of five minutes. */
  logged(field: string): Metric {
    const metric = { metricNamespace: `Quench/${Stack.of(this).stackName}`, metricName: field }
    const filter = this.logGroup.addMetricFilter(field, {
      ...metric,
      filterPattern: FilterPattern.numberValue(`$.message.${field}`, '>', 0),
      metricValue: `$.message.${field}`,
    })
    return filter.metric({ statistic: Stats.MAXIMUM, period: Duration.minutes(5) })
  }
}

/** The image is never pulled: bundling in this process cannot decline. */
function bundled(name: FunctionName): Code {
  return Code.fromAsset('functions', {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('none'),
      // Without it all functions would get the same code: the CDK tells assets apart by their options.
      command: [name],
      local: {
        tryBundle: (directory) => {
          bundleFunction(name, directory)
          return true
        },
      },
    },
  })
}
