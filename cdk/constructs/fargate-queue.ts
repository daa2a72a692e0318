import { RemovalPolicy } from 'aws-cdk-lib'
import { CfnComputeEnvironment, CfnJobDefinition, CfnJobQueue } from 'aws-cdk-lib/aws-batch'
import { FlowLogDestination, type IVpc, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import type { QuenchFunction } from './quench-function.ts'
import type { ResultsBucket } from './results-bucket.ts'

type Fargate = NonNullable<QuenchConfig['batch']['fargate']>

interface FargateQueueProps extends Pick<QuenchConfig, 'retention'> {
  readonly fargate: Fargate
  readonly results: ResultsBucket
}

/**
 * A Batch queue and a job definition of the same name, for users who have none: nothing runs, and nothing costs, while no
 * job does.
 *
 * Jobs may read and write `results/` of the results bucket, and nothing else of the account.
 */
export class FargateQueue extends Construct {
  private readonly logs: LogGroup

  constructor(scope: Construct, id: string, { fargate, results, retention }: FargateQueueProps) {
    super(scope, id)
    const logRetention = retention.logDays
    const network = fargate.network ?? this.ownNetwork(logRetention)
    const environment = new CfnComputeEnvironment(this, 'Environment', {
      type: 'MANAGED',
      computeResources: {
        type: 'FARGATE',
        maxvCpus: fargate.maxVcpus,
        subnets: [...network.subnetIds],
        securityGroupIds: [...network.securityGroupIds],
      },
    })
    new CfnJobQueue(this, 'Queue', {
      jobQueueName: fargate.name,
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: environment.ref }],
    })
    this.logs = new LogGroup(this, 'JobLogs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY })
    new CfnJobDefinition(this, 'Definition', {
      type: 'container',
      jobDefinitionName: fargate.name,
      platformCapabilities: ['FARGATE'],
      propagateTags: true,
      containerProperties: {
        image: fargate.image,
        // A task says what to run.
        command: ['true'],
        jobRoleArn: this.jobRole(results.bucket).roleArn,
        executionRoleArn: this.executionRole().roleArn,
        resourceRequirements: [
          { type: 'VCPU', value: String(fargate.vcpus) },
          { type: 'MEMORY', value: String(fargate.memoryMiB) },
        ],
        // Images are pulled over the internet: its own network has public subnets only, which cost nothing.
        networkConfiguration: { assignPublicIp: fargate.network ? 'DISABLED' : 'ENABLED' },
        runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
        logConfiguration: {
          logDriver: 'awslogs',
          options: { 'awslogs-group': this.logs.logGroupName, 'awslogs-stream-prefix': 'job' },
        },
      },
    })
  }

  /** Let a function show what jobs have printed. */
  grantReadLogs(target: QuenchFunction): void {
    target.allow(['logs:GetLogEvents'], [this.logs.logGroupArn])
  }

  /** Two public subnets, no gateway that costs by the hour, and nothing may come in. */
  private ownNetwork(
    logRetention: RetentionDays,
  ): Pick<NonNullable<Fargate['network']>, 'subnetIds' | 'securityGroupIds'> {
    const vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'jobs', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false }],
      flowLogs: {
        all: {
          destination: FlowLogDestination.toCloudWatchLogs(
            new LogGroup(this, 'FlowLogs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY }),
          ),
        },
      },
    })
    const group = new SecurityGroup(this, 'Jobs', { vpc: vpc as IVpc, description: 'Jobs of Quench: out, but not in' })
    return {
      subnetIds: vpc.publicSubnets.map(({ subnetId }) => subnetId),
      securityGroupIds: [group.securityGroupId],
    }
  }

  /** What jobs may do. */
  private jobRole(results: Bucket): Role {
    const role = new Role(this, 'JobRole', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') })
    const objects = results.arnForObjects('results/*')
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject', 's3:PutObject'], resources: [objects] }))
    return role
  }

  /** What Fargate may do to start them: write their logs. An image of a private registry needs more. */
  private executionRole(): Role {
    const role = new Role(this, 'ExecutionRole', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') })
    this.logs.grantWrite(role)
    return role
  }
}
