import { z } from 'zod'

/**
 * The part of a `Braket Task State Change` event that we read.
 *
 * Source: Braket developer guide, "Example Amazon Braket EventBridge event".
 */
const taskEvent = z.object({
  source: z.literal('aws.braket'),
  'detail-type': z.literal('Braket Task State Change'),
  detail: z.object({
    quantumTaskArn: z.string(),
    status: z.string(),
    outputS3Directory: z.string(),
    failureReason: z.string().exactOptional(),
    endedAt: z.iso.datetime({ offset: true }).exactOptional(),
  }),
})

/**
 * The same of a `Braket Job State Change` event.
 *
 * Its detail is not documented; public rules of AWS samples read jobArn, status, startedAt and endedAt from it. The
 * name stands in jobName, or at the end of the ARN of older jobs.
 */
const jobEvent = z.object({
  source: z.literal('aws.braket'),
  'detail-type': z.literal('Braket Job State Change'),
  detail: z.object({
    jobArn: z.string(),
    status: z.string(),
    jobName: z.string().exactOptional(),
    failureReason: z.string().exactOptional(),
    startedAt: z.iso.datetime({ offset: true }).exactOptional(),
    endedAt: z.iso.datetime({ offset: true }).exactOptional(),
  }),
})

export const braketEvent = z.discriminatedUnion('detail-type', [taskEvent, jobEvent])
