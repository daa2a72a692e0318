import type { RecordedCall } from './policies.ts'
import { place } from './template.ts'

type Input = Readonly<Record<string, unknown>>

const arn = (service: string, resource: string) => `arn:aws:${service}:${place.region}:${place.account}:${resource}`
const text = (value: unknown): string => String(value)

/**
 * A call through the SDK as IAM authorises it: one or more actions, each on a resource.
 *
 * Source: Service Authorization Reference. SendMessageBatch is authorised as sqs:SendMessage; TerminateJobs is authorised as batch:TerminateJob, one a job; tags in a
 * create call take TagResource on what is created.
 */
export function iamCalls(command: string, input: Input, tableArn: string): readonly RecordedCall[] {
  const call = (action: string, resource: string): RecordedCall => ({ action, resource })
  switch (command) {
    case 'Get':
    case 'Put':
    case 'Update':
      return [call(`dynamodb:${command}Item`, tableArn)]
    case 'BatchGet':
      return [call('dynamodb:BatchGetItem', tableArn)]
    case 'Query':
      return [call('dynamodb:Query', input.IndexName ? `${tableArn}/index/${input.IndexName}` : tableArn)]
    case 'StartExecution':
      return [call('states:StartExecution', text(input.stateMachineArn))]
    case 'StopExecution':
    case 'DescribeExecution':
      return [call(`states:${command}`, text(input.executionArn))]
    case 'SendTaskSuccess':
      return [call('states:SendTaskSuccess', '*')]
    case 'PutEvents':
      return [call('events:PutEvents', arn('events', 'event-bus/default'))]
    case 'SubmitJob':
      return [
        call('batch:SubmitJob', arn('batch', `job-queue/${input.jobQueue}`)),
        call('batch:SubmitJob', arn('batch', `job-definition/${input.jobDefinition}`)),
        call('batch:TagResource', arn('batch', 'job/new')),
      ]
    case 'TerminateJobs':
      return (input.jobs as string[]).map((job) => call('batch:TerminateJob', arn('batch', `job/${job}`)))
    case 'SendMessageBatch':
      return [call('sqs:SendMessage', arn('sqs', text(input.QueueUrl).split('/').at(-1) ?? ''))]
    case 'DescribeJobs':
    case 'ListJobs':
      return [call(`batch:${command}`, '*')]
    default:
      throw new Error(`how is ${command} authorised?`)
  }
}
