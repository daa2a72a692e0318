interface Accepted {
  readonly rule: RegExp
  readonly path: RegExp
  readonly reason: string
}

const wildcard = (resource: string) => new RegExp(`^AwsSolutions-IAM5\\[Resource::${resource}\\]$`)
const functions = /\/Functions\/\w+\/Role\//

/** What cdk-nag finds and we accept. An entry that no finding needs any more fails the test. */
export const accepted: readonly Accepted[] = [
  {
    rule: wildcard('\\*'),
    path: /\/(Functions\/\w+|Dispatch)\/Role\//,
    reason: 'actions without a resource type only: least-privilege.test.ts holds each of them to the reference',
  },
  {
    rule: wildcard('.*:(job|quantum-task)/\\*'),
    path: functions,
    reason: 'jobs get their ids from their back end: there is no name to narrow it to before they are made',
  },
  {
    rule: wildcard('.*:execution:quench-dispatch:\\*'),
    path: functions,
    reason: 'the executions of our own state machine, one a dispatch',
  },
  {
    rule: wildcard('.*:job-definition/\\w+:\\*'),
    path: /\/Functions\/Act\/Role\//,
    reason: 'every revision of a definition that is configured by name',
  },
  {
    rule: wildcard('<ResultsBucket\\w+\\.Arn>/(results|braket)/\\*'),
    path: /\/(Functions\/(Api|Act)\/Role|Fargate\/JobRole)\//,
    reason: 'results are named after dispatch, task and attempt: a prefix is all there is beforehand',
  },
  {
    rule: wildcard('.*:log-group:/aws/batch/job:log-stream:\\*'),
    path: /\/Functions\/Api\/Role\//,
    reason: 'a stream a job, in a group that is configured',
  },
  {
    rule: /^AwsSolutions-S1$/,
    path: /\/Results\/Bucket\//,
    reason: 'results expire, an access log would outlive them in a second bucket; CloudTrail data events tell the same',
  },
  {
    rule: /^AwsSolutions-SQS3$/,
    path: /\/(Watchdogs|Announcements)\/DeadLetters\//,
    reason:
      'it is the dead-letter queue, of rules, asynchronous invocations and a stream, which cdk-nag does not look at',
  },
]
