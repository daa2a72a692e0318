import type { CancelSource } from '../domain/dispatch.ts'
import { InvalidInput } from '../domain/errors.ts'
import {
  alarmDetail,
  alarmMessage,
  type CancelPayload,
  cancelPayload,
  type EventBridgeEvent,
  eventBridgeEvent,
  snsEvent,
} from '../schema/lambda.ts'
import { parseJson } from '../schema/parse-json.ts'
import { problemsOf } from '../schema/problems.ts'
import type { Trigger } from './config.ts'

interface Origin {
  readonly source: CancelSource
  /** Who is on record. */
  readonly actor: string
  /** Events come at least once: the same one twice has one effect. */
  readonly idempotencyKey: string
}

/** What an event asks for: one dispatch, every open dispatch that a trigger is about, or nothing. */
export type CancelWish =
  | ({ readonly kind: 'one'; readonly payload: CancelPayload } & Origin)
  | ({ readonly kind: 'matching'; readonly trigger: Trigger; readonly reason: string } & Origin)
  | { readonly kind: 'nothing'; readonly why: string }

/** Of an event of our own, which any application may send. Its detail is a cancel request. */
export const cancelRequestType = 'Quench Cancel Request'

/**
 * What an event from EventBridge or SNS asks for; undefined where it is neither.
 *
 * Alarms and budgets count only when a trigger names them exactly, and only when they begin: what else comes along asks
 * for nothing. Through SNS, the topic must be the trigger's as well. Errors: InvalidInput with every problem of a
 * request in it.
 */
export function readCancelEvent(event: unknown, triggers: readonly Trigger[]): readonly CancelWish[] | undefined {
  const sns = snsEvent.safeParse(event)
  if (sns.success) return sns.data.Records.map(({ Sns }) => readMessage(Sns, triggers))
  const bridge = eventBridgeEvent.safeParse(event)
  return bridge.success ? [readBridgeEvent(bridge.data, triggers)] : undefined
}

/** A cancel request as someone types it. Errors: InvalidInput with every problem. */
export function readCancelPayload(input: unknown): CancelPayload {
  const parsed = cancelPayload.safeParse(input)
  if (parsed.success) return parsed.data
  const details = problemsOf(parsed.error)
  const text = details.map(({ path, message }) => `${path}: ${message}`).join('; ')
  throw new InvalidInput(`this is not a cancel request: ${text}`, { details })
}

function readBridgeEvent(event: EventBridgeEvent, triggers: readonly Trigger[]): CancelWish {
  const { id, source, account, detail } = event
  const type = event['detail-type']
  if (type === cancelRequestType) {
    const actor = `${source} in account ${account}`
    return { kind: 'one', payload: readCancelPayload(detail), source: 'api', actor, idempotencyKey: `event-${id}` }
  }
  const alarm = alarmDetail.safeParse(detail)
  if (source !== 'aws.cloudwatch' || !alarm.success) return { kind: 'nothing', why: `${type} asks for nothing` }
  const { alarmName, state } = alarm.data
  const trigger = triggers.find((one) => one.kind === 'alarm' && one.name === alarmName && one.topicArn === undefined)
  return wishOfAlarm(trigger, { name: alarmName, state: state.value, key: `event-${id}` })
}

type Message = { readonly MessageId: string; readonly TopicArn: string; readonly Message: string }

function readMessage({ MessageId, TopicArn, Message }: Message, triggers: readonly Trigger[]): CancelWish {
  const ours = triggers.filter(({ topicArn }) => topicArn === TopicArn)
  const key = `message-${MessageId}`
  const json = tryJson(Message)
  const alarm = alarmMessage.safeParse(json)
  if (alarm.success) {
    const { AlarmName: name, NewStateValue: state } = alarm.data
    return wishOfAlarm(
      ours.find((one) => one.kind === 'alarm' && one.name === name),
      { name, state, key },
    )
  }
  const budget = ours.find((one) => one.kind === 'budget' && one.name === budgetName(Message, json))
  if (budget) {
    const reason = `the budget ${budget.name} is used up`
    return { kind: 'matching', trigger: budget, reason, source: 'budget', actor: TopicArn, idempotencyKey: key }
  }
  if (json === undefined || !ours.some(({ kind }) => kind === 'request'))
    return { kind: 'nothing', why: `no trigger takes this message of ${TopicArn}` }
  return { kind: 'one', payload: readCancelPayload(json), source: 'api', actor: TopicArn, idempotencyKey: key }
}

function wishOfAlarm(
  trigger: Trigger | undefined,
  { name, state, key }: { name: string; state: string; key: string },
): CancelWish {
  if (!trigger) return { kind: 'nothing', why: `no trigger names the alarm ${name}` }
  if (state !== 'ALARM') return { kind: 'nothing', why: `the alarm ${name} is ${state}` }
  const reason = `the alarm ${name} went off`
  return { kind: 'matching', trigger, reason, source: 'alarm', actor: `alarm ${name}`, idempotencyKey: key }
}

/**
 * AWS Budgets writes text for people, with a line `Budget Name: …`; some of its senders write JSON. Source: AWS Cost
 * Management user guide, "Creating an Amazon SNS topic for budget notifications", and public examples of both.
 */
function budgetName(text: string, json: unknown): string | undefined {
  const named = (json as { budgetName?: unknown } | undefined)?.budgetName
  if (typeof named === 'string') return named
  return /^\s*Budget Name:\s*(.+?)\s*$/m.exec(text)?.[1]
}

function tryJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof InvalidInput) return undefined
    throw error
  }
}
