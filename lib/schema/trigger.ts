import { z } from 'zod'
import { configuredSelector } from './selector.ts'

/**
 * What else than a person's request cancels, and which of the open dispatches.
 *
 * `alarm`: by its exact name, from EventBridge or through a topic; or by tags of it, all of them exactly, from
 * EventBridge. `budget`: by its exact name, through the topic that AWS Budgets tells, or without one from EventBridge as
 * our own event `Quench Budget Exceeded`. `request`: our own event `Quench Cancel Request`, which names its dispatch.
 */
export const trigger = z
  .strictObject({
    kind: z.enum(['alarm', 'budget', 'request']),
    name: z.string().min(1).exactOptional(),
    alarmTags: z
      .record(z.string().min(1), z.string())
      .refine((tags) => Object.keys(tags).length > 0, 'must be one at least')
      .exactOptional(),
    /** What comes through SNS counts only from here; without one it comes through EventBridge. */
    topicArn: z
      .string()
      .regex(/^arn:[^:]+:sns:[^:]+:\d{12}:[^:]+$/, 'must be the ARN of a topic')
      .exactOptional(),
    where: configuredSelector.exactOptional(),
  })
  .superRefine(({ kind, name, alarmTags, topicArn, where }, context) => {
    const tell = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message })
    const tagCount = Object.keys(alarmTags ?? {}).length
    switch (kind) {
      case 'request':
        if (where !== undefined) tell('where', 'must be left out: a request names its dispatch')
        if (name !== undefined) tell('name', 'must be left out: a request has none')
        break
      case 'budget':
        if (name === undefined) tell('name', 'must be the name of the budget')
        break
      case 'alarm':
        if ((name !== undefined) === tagCount > 0) tell('name', 'must be the name of the alarm, or give alarmTags')
        if (topicArn !== undefined && alarmTags) tell('alarmTags', 'are read from EventBridge only: leave topicArn out')
        break
      default:
        kind satisfies never
    }
    if (kind !== 'alarm' && alarmTags) tell('alarmTags', 'are for alarms')
    if (kind !== 'request' && where === undefined) tell('where', 'must say which dispatches: all:true for every one')
  })

export type Trigger = z.output<typeof trigger>
