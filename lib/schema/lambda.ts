import { z } from 'zod'
import { cancelRequest } from './api.ts'

/** What the state machine sends to `turn` (`cdk/dispatch-definition.ts`). */
export const turnRequest = z.strictObject({
  dispatchId: z.string(),
  epoch: z.int().min(1),
  generation: z.int().min(1),
  events: z.int().min(0),
})

/** What it sends to `act`: an action as `turn` packed it. */
export const actRequest = z.strictObject({
  dispatchId: z.string(),
  action: z.strictObject({
    kind: z.enum(['submit', 'poll', 'recover', 'cancel']),
    executor: z.string(),
    place: z.string().exactOptional(),
    epoch: z.int().min(1),
    redrives: z.int().min(1).exactOptional(),
    tasks: z.string().regex(/^(\d+(-\d+)?:\d+( |$))*$/, 'must be ranges of attempts'),
    pack: z.string().exactOptional(),
    mode: z.enum(['graceful', 'force']).exactOptional(),
    reason: z.string().exactOptional(),
    graceSeconds: z.int().min(0).exactOptional(),
    isTimeLimit: z.literal(true).exactOptional(),
  }),
})

/** A cancel request as someone types it into the Lambda console, or sends it as the detail of an event. */
export const cancelPayload = cancelRequest.extend({
  dispatchId: z.string().regex(/^[0-9a-f-]{36}$/, 'must be the whole id of a dispatch'),
})

export type CancelPayload = z.output<typeof cancelPayload>

/** Source: EventBridge user guide, "Events": the fields that every event has. */
export const eventBridgeEvent = z.object({
  id: z.string(),
  source: z.string(),
  'detail-type': z.string(),
  account: z.string(),
  time: z.string().optional(),
  detail: z.unknown(),
})

export type EventBridgeEvent = z.output<typeof eventBridgeEvent>

/** Source: Step Functions developer guide, "Events for execution status changes". */
export const executionEvent = z.object({
  source: z.literal('aws.states'),
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({
    name: z.string(),
    stateMachineArn: z.string(),
    status: z.string(),
    /** Epoch milliseconds. */
    startDate: z.number().exactOptional(),
    stopDate: z.number().nullish(),
  }),
})

/** Source: Lambda developer guide, "Using Lambda with Amazon SNS". */
export const snsEvent = z.object({
  Records: z
    .array(
      z.object({
        EventSource: z.literal('aws:sns'),
        Sns: z.object({
          MessageId: z.string(),
          TopicArn: z.string(),
          Message: z.string(),
          Timestamp: z.string().optional(),
        }),
      }),
    )
    .min(1),
})

/** Source: Lambda developer guide, "Using Lambda with Amazon SQS". */
export const sqsEvent = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) })

/** An item in DynamoDB's own JSON, as `written-item.ts` reads it. */
const image = z.record(z.string(), z.unknown())

/**
 * A batch of a table's stream. Times are epoch seconds, as a number or as text.
 * Source: Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB"; the same, "Using event filtering with a DynamoDB
 * event source".
 */
export const streamEvent = z.object({
  Records: z.array(
    z.object({
      dynamodb: z.object({
        SequenceNumber: z.string(),
        ApproximateCreationDateTime: z.coerce.number().exactOptional(),
        OldImage: image.exactOptional(),
        NewImage: image.exactOptional(),
      }),
    }),
  ),
})

/** A part of a bulk cancellation, as `sqs-bulk-runner.ts` sends it. */
export const bulkMessage = z.strictObject({ bulkId: z.string(), dispatchIds: z.array(z.string()).min(1).max(10) })

/** Source: API Gateway developer guide, "Working with AWS Lambda proxy integrations for HTTP APIs", format 2.0. */
export const httpEvent = z.object({
  version: z.literal('2.0'),
  requestContext: z.object({
    authorizer: z
      .object({
        iam: z.object({ userArn: z.string() }).optional(),
        jwt: z.object({ claims: z.record(z.string(), z.unknown()) }).optional(),
      })
      .optional(),
    http: z.object({ method: z.string() }),
  }),
})
