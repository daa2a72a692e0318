import { type EventPattern, Match } from 'aws-cdk-lib/aws-events'
import { budgetExceededType, cancelRequestType } from '../lib/aws/triggers/read-cancel-event.ts'

/** Of the jobs that Quench has named, by the name that it gave. */
export function batchPattern(): EventPattern {
  return {
    source: ['aws.batch'],
    detailType: ['Batch Job State Change'],
    detail: { jobName: Match.prefix('quench-') },
  }
}

/** Of quantum tasks that write to our bucket; from every Region, since rules there forward to this one. */
export function braketTaskPattern(bucketName: string): EventPattern {
  return {
    source: ['aws.braket'],
    detailType: ['Braket Task State Change'],
    detail: { outputS3Bucket: [bucketName] },
  }
}

/** The detail of this event is not documented, so nothing in it is relied upon here: `job-events` leaves out others' jobs. */
export function braketJobPattern(): EventPattern {
  return { source: ['aws.braket'], detailType: ['Braket Job State Change'] }
}

/** Of loops that ended in another way than by themselves. */
export function executionPattern(stateMachineArn: string): EventPattern {
  return {
    source: ['aws.states'],
    detailType: ['Step Functions Execution Status Change'],
    detail: { stateMachineArn: [stateMachineArn], status: ['ABORTED', 'FAILED', 'TIMED_OUT'] },
  }
}

/** Of an alarm that goes off, not of one that is over: by its name, or by tags that it passes on. */
export function alarmPattern(alarm: { readonly alarmName: string } | { readonly alarmTags: Tags }): EventPattern {
  const which =
    'alarmName' in alarm
      ? { alarmName: [alarm.alarmName] }
      : { alarmTags: Object.fromEntries(Object.entries(alarm.alarmTags).map(([key, value]) => [key, [value]])) }
  return {
    source: ['aws.cloudwatch'],
    detailType: ['CloudWatch Alarm State Change'],
    detail: { ...which, state: { value: ['ALARM'] } },
  }
}

type Tags = Readonly<Record<string, string>>

/** Of an event that any application may send. */
export function requestPattern(): EventPattern {
  return { detailType: [cancelRequestType] }
}

/** Of another one. */
export function budgetPattern(name: string): EventPattern {
  return { detailType: [budgetExceededType], detail: { budget: [name] } }
}
