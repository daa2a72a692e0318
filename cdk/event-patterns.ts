import { type EventPattern, Match } from 'aws-cdk-lib/aws-events'
import { cancelRequestType } from '../lib/runtime/read-cancel-event.ts'

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

/** Of an alarm that goes off, not of one that is over. */
export function alarmPattern(alarmName: string): EventPattern {
  return {
    source: ['aws.cloudwatch'],
    detailType: ['CloudWatch Alarm State Change'],
    detail: { alarmName: [alarmName], state: { value: ['ALARM'] } },
  }
}

/** Of an event that any application may send. */
export function requestPattern(): EventPattern {
  return { detailType: [cancelRequestType] }
}
