import { z } from 'zod'

/**
 * The part of an alarm's event that we read.
 *
 * `alarmTags` is there where the alarm passes its tags on. Source: CloudWatch user guide, "Alarm events and EventBridge"
 * and "Alarm tags in action payloads".
 */
export const alarmDetail = z.object({
  alarmName: z.string(),
  state: z.object({ value: z.string() }),
  alarmTags: z.record(z.string(), z.string()).exactOptional(),
})

/** The same of an alarm that comes through SNS. Source: CloudWatch user guide, "Using Amazon CloudWatch alarms". */
export const alarmMessage = z.object({ AlarmName: z.string(), NewStateValue: z.string() })

/** Of `Quench Budget Exceeded`, an event of our own: `docs/deploy.md` has it. */
export const budgetDetail = z.strictObject({
  budget: z.string().min(1),
  limitUsd: z.number().min(0).exactOptional(),
  spentUsd: z.number().min(0).exactOptional(),
})

/** Of a budget's message in JSON. Not documented; public readers of it find one or the other. */
export const budgetMessage = z.union([
  z.object({ budgetName: z.string(), BudgetName: z.string().exactOptional() }),
  z.object({ budgetName: z.string().exactOptional(), BudgetName: z.string() }),
])
