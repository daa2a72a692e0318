import { Stack } from 'aws-cdk-lib'
import { Construct } from 'constructs'
import { backendsOf, batchNames, forwardedRegions, type QuenchConfig } from '../config.ts'
import type { QuenchFunction } from './quench-function.ts'
import type { ResultsBucket } from './results-bucket.ts'

interface BackEndsProps {
  readonly config: QuenchConfig
  readonly results: ResultsBucket
}

/** Source: Braket developer guide, "Regions and devices": Amazon's simulators, which are in several Regions. */
const simulators = ['sv1', 'dm1', 'tn1']

/**
 * What functions may do with the back ends that are configured, and how they find them. A back end that is not
 * configured costs no permission.
 *
 * Stopping is allowed for every job of the account in its Region, not by tag: a kill that IAM refuses, since a tag is
 * missing or is not looked at, is worse than a right to stop too much.
 */
export class BackEnds extends Construct {
  private readonly config: QuenchConfig
  private readonly results: ResultsBucket

  constructor(scope: Construct, id: string, { config, results }: BackEndsProps) {
    super(scope, id)
    this.config = config
    this.results = results
  }

  /** Check the options of tasks, which name queues, devices and hosts; show results and logs. */
  grantShow(target: QuenchFunction): void {
    this.tell(target)
    this.results.grantRead(target)
    this.grantRunCommand(target)
    if (batchNames(this.config).jobQueues.length === 0) return
    target.allow(['batch:DescribeJobs'], ['*'])
    target.allow(
      ['logs:GetLogEvents'],
      this.config.batch.logGroups.map((name) => this.arn('logs', `log-group:${name}:log-stream:*`)),
    )
  }

  /** Submit, poll and stop jobs. */
  grantRun(target: QuenchFunction): void {
    this.grantStop(target)
    this.results.grantRead(target)
    this.results.grantWrite(target)
    const { jobQueues, jobDefinitions } = batchNames(this.config)
    if (jobQueues.length > 0) {
      target.allow(
        ['batch:SubmitJob'],
        [
          ...jobQueues.map((name) => this.arn('batch', `job-queue/${name}`)),
          ...jobDefinitions.flatMap((name) => [
            this.arn('batch', `job-definition/${name}`),
            this.arn('batch', `job-definition/${name}:*`),
          ]),
          this.arn('batch', 'job/*'),
        ],
      )
      target.allow(['batch:TagResource'], [this.arn('batch', 'job/*')])
    }
    if (this.config.braket) {
      const { jobRoleArn } = this.config.braket
      target.allow(['braket:CreateQuantumTask'], [...this.devices, ...this.braketArns('quantum-task')])
      target.allow(['braket:TagResource'], this.braketArns('quantum-task'))
      // Braket looks at the bucket, and writes to it, with the rights of who creates the task.
      target.allow(['s3:PutObject'], [this.results.bucket.arnForObjects('braket/*')])
      if (jobRoleArn !== undefined) {
        target.allow(['braket:CreateJob'], [...this.devices, ...this.braketArns('job')])
        target.allow(['braket:TagResource'], this.braketArns('job'))
        target.allow(['iam:PassRole'], [jobRoleArn], { 'iam:PassedToService': 'braket.amazonaws.com' })
      }
    }
  }

  /** Find and stop jobs, and see what became of those that cannot be stopped any more. */
  grantStop(target: QuenchFunction): void {
    this.tell(target)
    const { jobQueues } = batchNames(this.config)
    if (jobQueues.length > 0) {
      target.allow(['batch:TerminateJob'], [this.arn('batch', 'job/*')])
      // Which of an array job's children still run says whether all of it may be stopped with one id.
      target.allow(['batch:DescribeJobs'], ['*'])
    }
    if (this.config.braket) {
      target.allow(['braket:CancelQuantumTask', 'braket:GetQuantumTask'], this.braketArns('quantum-task'))
      if (this.config.braket.jobRoleArn !== undefined)
        target.allow(['braket:CancelJob', 'braket:GetJob'], this.braketArns('job'))
    }
    this.grantFind(target)
    this.grantRunCommand(target)
    this.grantExplainAbsence(target)
  }

  /** Claims that have no handle yet are stopped too: their jobs are looked for by name. */
  private grantFind(target: QuenchFunction): void {
    if (batchNames(this.config).jobQueues.length > 0) target.allow(['batch:ListJobs'], ['*'])
    if (!this.config.braket) return
    target.allow(['braket:SearchQuantumTasks'], ['*'])
    if (this.config.braket.jobRoleArn !== undefined) target.allow(['braket:SearchJobs'], ['*'])
  }

  private grantRunCommand(target: QuenchFunction): void {
    if (this.machines.length === 0) return
    target.allow(['ssm:SendCommand'], [this.runShellScript, ...this.machines])
    target.allow(['ssm:GetCommandInvocation'], ['*'])
  }

  /** Neither call can be allowed for some machines only. Source: Service Authorization Reference, EC2 and Systems Manager. */
  private grantExplainAbsence(target: QuenchFunction): void {
    if (this.machines.length === 0) return
    target.allow(['ssm:DescribeInstanceInformation', 'ec2:DescribeInstances'], ['*'])
  }

  private tell(target: QuenchFunction): void {
    this.results.tell(target)
    target.setVariable('QUENCH_BACKENDS', JSON.stringify(backendsOf(this.config)))
  }

  private get devices(): readonly string[] {
    const { partition } = Stack.of(this)
    const own = simulators.map((name) => `arn:${partition}:braket:::device/quantum-simulator/amazon/${name}`)
    return [...own, ...Object.values(this.config.braket?.devices ?? {})]
  }

  /** A task stands in the Region of its device. */
  private braketArns(resource: 'quantum-task' | 'job'): readonly string[] {
    const { partition, region, account } = Stack.of(this)
    return [region, ...forwardedRegions(this.config)].map(
      (one) => `arn:${partition}:braket:${one}:${account}:${resource}/*`,
    )
  }

  private get machines(): readonly string[] {
    const ids = [...Object.values(this.config.hosts), ...Object.values(this.config.clusters)]
    return [...new Set(ids.map(({ instanceId }) => instanceId))].map((id) =>
      id.startsWith('mi-') ? this.arn('ssm', `managed-instance/${id}`) : this.arn('ec2', `instance/${id}`),
    )
  }

  /** A document of AWS's own has no account. */
  private get runShellScript(): string {
    const { partition, region } = Stack.of(this)
    return `arn:${partition}:ssm:${region}::document/AWS-RunShellScript`
  }

  private arn(service: string, resource: string): string {
    const { partition, region, account } = Stack.of(this)
    return `arn:${partition}:${service}:${region}:${account}:${resource}`
  }
}
