import { InvalidInput } from '../../domain/errors.ts'
import type { CancelSource } from '../../domain/fence.ts'
import {
  type CancelPayload,
  cancelPayload,
  type EventBridgeEvent,
  eventBridgeEvent,
  snsEvent,
} from '../../schema/lambda.ts'
import { tryJson } from '../../schema/parse-json.ts'
import { problemsOf } from '../../schema/problems.ts'
import type { Trigger } from '../../schema/trigger.ts'
import { alarmDetail, alarmMessage, budgetDetail, budgetMessage } from '../../schema/trigger-events.ts'

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
  | ({
      readonly kind: 'matching'
      readonly where: string
      readonly reason: string
      /** Epoch milliseconds: what was dispatched after the event is none of its business, however late it comes. */
      readonly createdUntil?: number
    } & Origin)
  | { readonly kind: 'nothing'; readonly why: string }

interface Watched {
  readonly triggers: readonly Trigger[]
  /** Our own. What comes from another one is nobody's business here. */
  readonly account: string
}

/** Of events of our own, which any application may send. The detail of the first is a cancel request. */
export const cancelRequestType = 'Quench Cancel Request'
export const budgetExceededType = 'Quench Budget Exceeded'

/** Longer than any message of a budget or an alarm, and short enough to look through. */
const maxMessageCharacters = 32_768

/**
 * What an event from EventBridge or SNS asks for; undefined where it is neither.
 *
 * Alarms and budgets count only when a trigger names them exactly, and only when they begin: what else comes along asks
 * for nothing, and says why. Through SNS, the topic must be the trigger's as well.
 * Errors: InvalidInput with every problem of a request in it.
 */
export function readCancelEvent(event: unknown, watched: Watched): readonly CancelWish[] | undefined {
  const sns = snsEvent.safeParse(event)
  if (sns.success) return sns.data.Records.map(({ Sns }) => readMessage(Sns, watched))
  const bridge = eventBridgeEvent.safeParse(event)
  return bridge.success ? [readBridgeEvent(bridge.data, watched)] : undefined
}

/** A cancel request as someone types it. Errors: InvalidInput with every problem. */
export function readCancelPayload(input: unknown): CancelPayload {
  const parsed = cancelPayload.safeParse(input)
  if (parsed.success) return parsed.data
  const details = problemsOf(parsed.error)
  const text = details.map(({ path, message }) => `${path}: ${message}`).join('; ')
  throw new InvalidInput(`this is not a cancel request: ${text}`, { details })
}

function readBridgeEvent(event: EventBridgeEvent, { triggers, account }: Watched): CancelWish {
  const { id, source, detail, time } = event
  const type = event['detail-type']
  const idempotencyKey = `event-${id}`
  if (event.account !== account) return nothing(`${type} comes from the account ${event.account}`)
  const ours = triggers.filter(({ topicArn }) => topicArn === undefined)
  if (type === cancelRequestType) {
    if (!ours.some(({ kind }) => kind === 'request')) return nothing(`no trigger takes ${type} from EventBridge`)
    const actor = `${source} in account ${account}`
    return { kind: 'one', payload: readCancelPayload(detail), source: 'api', actor, idempotencyKey }
  }
  if (type === budgetExceededType) {
    const budget = budgetDetail.safeParse(detail)
    if (!budget.success) return nothing(`${type} has no readable detail: ${textOf(budget.error)}`)
    const { budget: name, ...figures } = budget.data
    return wishOfBudget(ours, { name, figures, actor: `${source} in account ${account}`, at: time, idempotencyKey })
  }
  if (source !== 'aws.cloudwatch') return nothing(`${type} of ${source} asks for nothing`)
  const alarm = alarmDetail.safeParse(detail)
  if (!alarm.success) return nothing(`${type} has no readable detail: ${textOf(alarm.error)}`)
  const { alarmName: name, state, alarmTags = {} } = alarm.data
  return wishOfAlarm(ours, { name, tags: alarmTags, state: state.value, at: time, idempotencyKey })
}

type Message = {
  readonly MessageId: string
  readonly TopicArn: string
  readonly Message: string
  readonly Timestamp?: string | undefined
}

function readMessage({ MessageId, TopicArn, Message, Timestamp: at }: Message, { triggers }: Watched): CancelWish {
  const idempotencyKey = `message-${MessageId}`
  const ours = triggers.filter(({ topicArn }) => topicArn === TopicArn)
  if (ours.length === 0) return nothing(`no trigger names the topic ${TopicArn}`)
  if (Message.length > maxMessageCharacters)
    return nothing(`a message of ${TopicArn} is longer than ${maxMessageCharacters} characters`)
  const json = tryJson(Message)
  const alarm = alarmMessage.safeParse(json)
  if (alarm.success) {
    const { AlarmName: name, NewStateValue: state } = alarm.data
    return wishOfAlarm(ours, { name, tags: {}, state, at, idempotencyKey })
  }
  const name = budgetName(Message, json)
  if (name !== undefined) return wishOfBudget(ours, { name, figures: {}, actor: TopicArn, at, idempotencyKey })
  if (json === undefined || !ours.some(({ kind }) => kind === 'request'))
    return nothing(`no trigger takes this message of ${TopicArn}`)
  return { kind: 'one', payload: readCancelPayload(json), source: 'api', actor: TopicArn, idempotencyKey }
}

interface Told {
  readonly name: string
  readonly at: string | undefined
  readonly idempotencyKey: string
}

function wishOfAlarm(
  ours: readonly Trigger[],
  { name, tags, state, at, idempotencyKey }: Told & { tags: Readonly<Record<string, string>>; state: string },
): CancelWish {
  const trigger = ours.find(({ kind, ...one }) => {
    if (kind !== 'alarm') return false
    if (one.name !== undefined) return one.name === name
    return Object.entries(one.alarmTags ?? {}).every(([key, value]) => Object.hasOwn(tags, key) && tags[key] === value)
  })
  if (trigger?.where === undefined) return nothing(`no trigger names the alarm ${name}`)
  if (state !== 'ALARM') return nothing(`the alarm ${name} is ${state}`)
  const what = { where: trigger.where, reason: `the alarm ${name} went off`, ...until(at) }
  return { kind: 'matching', ...what, source: 'alarm', actor: `alarm ${name}`, idempotencyKey }
}

function wishOfBudget(
  ours: readonly Trigger[],
  { name, figures, actor, at, idempotencyKey }: Told & { figures: Figures; actor: string },
): CancelWish {
  const trigger = ours.find((one) => one.kind === 'budget' && one.name === name)
  if (trigger?.where === undefined) return nothing(`no trigger names the budget ${name}`)
  const reason = `the budget ${name} is used up${figuresText(figures)}`
  return { kind: 'matching', where: trigger.where, reason, ...until(at), source: 'budget', actor, idempotencyKey }
}

interface Figures {
  readonly limitUsd?: number
  readonly spentUsd?: number
}

function figuresText({ limitUsd, spentUsd }: Figures): string {
  const parts = [spentUsd !== undefined && `${spentUsd} USD spent`, limitUsd !== undefined && `limit ${limitUsd} USD`]
  const known = parts.filter((part) => part !== false)
  return known.length > 0 ? ` (${known.join(', ')})` : ''
}

/** Events tell the time to the second: what was dispatched in that second is meant. */
function until(at: string | undefined): { createdUntil?: number } {
  const ms = at === undefined ? Number.NaN : Date.parse(at)
  return Number.isNaN(ms) ? {} : { createdUntil: ms + 1000 }
}

/**
 * AWS Budgets writes text for people, with a line `Budget Name: …`; some of its senders write JSON. Source: AWS Cost
 * Management user guide, "Creating an Amazon SNS topic for budget notifications", and public examples of both.
 */
function budgetName(text: string, json: unknown): string | undefined {
  const parsed = budgetMessage.safeParse(json)
  if (parsed.success) return parsed.data.budgetName ?? parsed.data.BudgetName
  const [line, another] = text.match(/^[ \t]*Budget Name:.*$/gm) ?? []
  return another === undefined ? line?.slice(line.indexOf(':') + 1).trim() : undefined
}

function nothing(why: string): CancelWish {
  return { kind: 'nothing', why }
}

function textOf(error: Parameters<typeof problemsOf>[0]): string {
  return problemsOf(error)
    .map(({ path, message }) => `${path}: ${message}`)
    .join('; ')
}
