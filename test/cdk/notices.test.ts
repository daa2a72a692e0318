import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../cdk/config.ts'
import { noticeNames } from '../../cdk/notices.ts'
import { eventSource, stateChangeEvent } from '../../lib/schema/announcements.ts'
import { matchesRule } from './event-rule.ts'
import { place, synthesise } from './template.ts'

interface Event {
  readonly source: string
  readonly 'detail-type': string
  readonly detail: Readonly<Record<string, unknown>>
}

interface Target {
  readonly Arn: string
  readonly InputTransformer: {
    readonly InputPathsMap: Readonly<Record<string, string>>
    readonly InputTemplate: string
  }
}

const blocks = [...readFileSync('docs/events.md', 'utf8').matchAll(/^```json\n([\s\S]*?)^```/gm)]
const documented = blocks
  .map(([, text = '']) => JSON.parse(text) as Event)
  .filter((one) => 'detail' in one && one.source === eventSource)

describe('the examples in docs/events.md', () => {
  test('are one of each event', () => {
    const types = documented.map((event) => event['detail-type'])
    expect(types.sort()).toEqual(stateChangeEvent.options.map(({ shape }) => shape.detailType.value).sort())
  })

  test.each(documented.map((event) => [event['detail-type'], event]))(
    '%s is as its schema has it',
    (detailType, event) => {
      expect(() => stateChangeEvent.parse({ detailType, detail: event.detail })).not.toThrow()
    },
  )
})

const template = synthesise()
const rules = Object.values(template.ofType('AWS::Events::Rule'))
  .map(
    ({ Properties }) => template.resolve(Properties) as { EventPattern?: Record<string, unknown>; Targets: Target[] },
  )
  .filter(({ EventPattern }) => String(EventPattern?.source) === eventSource)

const example = (type: string, detail: object): Event => {
  const found = documented.find((event) => event['detail-type'] === `Quench ${type} State Change`)
  if (!found) throw new Error(`there is no example of ${type}`)
  return { ...found, detail: { ...found.detail, ...detail } }
}

/** Source: EventBridge user guide, "Amazon EventBridge input transformation". */
function sentenceOf({ InputTransformer: { InputPathsMap, InputTemplate } }: Target, event: Event): string {
  const filled = InputTemplate.replaceAll(/<([\w-]+)>/g, (_, name: string) => {
    const steps = String(InputPathsMap[name]).split('.').slice(1)
    const value = steps.reduce<unknown>((inner, step) => (inner as Record<string, unknown>)[step], event)
    if (value === undefined) throw new Error(`${name} is not in the event`)
    return String(value)
  })
  return JSON.parse(filled)
}

const told = (event: Event) =>
  rules
    .filter(({ EventPattern = {} }) => matchesRule(EventPattern, { ...event }))
    .flatMap(({ Targets }) => Targets.map((target) => sentenceOf(target, event)))

describe('what people are told', () => {
  test('each notice has a rule, which publishes to the topic', () => {
    expect(rules).toHaveLength(noticeNames.length)
    const arns = new Set(rules.flatMap(({ Targets }) => Targets.map(({ Arn }) => Arn)))
    expect([...arns]).toEqual([expect.stringMatching(`^arn:aws:sns:${place.region}:`)])
  })

  test('of a dispatch that has failed: once as ended, once as failed', () => {
    const tasks = { succeeded: 2, failed: 1, cancelled: 0, skipped: 3 }
    const event = example('Dispatch', { dispatchName: 'h2', dispatchId: 'id', state: 'failed', tasks, depth: 0 })
    const sentence = 'Dispatch h2 (id) has ended: failed. Tasks: 2 succeeded, 1 failed, 0 cancelled, 3 skipped.'
    expect(told(event)).toEqual([sentence, sentence])
    expect(told(example('Dispatch', { state: 'succeeded', depth: 0 }))).toHaveLength(1)
    expect(told(example('Dispatch', { state: 'running', depth: 0 }))).toEqual([])
  })

  test('of a task that has failed, wherever it is', () => {
    const about = { dispatchName: 'h2', dispatchId: 'id', name: 'fit', executor: 'batch', attempt: 2, depth: 1 }
    expect(told(example('Task', { ...about, state: 'failed' }))).toEqual([
      'Task fit of h2 (id) has failed on batch, in attempt 2.',
    ])
    expect(told(example('Task', { ...about, state: 'pending' }))).toEqual([])
  })

  test('of a cancellation: what is to stop, what does not, and that it has', () => {
    const about = { dispatchName: 'h2', dispatchId: 'id', actor: 'ada', source: 'api', reason: 'wrong input', depth: 0 }
    const sentences = ['stopping', 'unconfirmed', 'confirmed'].flatMap((state) =>
      told(example('Cancellation', { ...about, state, open: 4, abandoned: 7 })),
    )
    const who = 'Asked for by ada (api: wrong input).'
    expect(sentences).toEqual([
      `What was cancelled of h2 (id) is being stopped: 4 tasks were open. ${who}`,
      `What was cancelled of h2 (id) does not stop: 4 jobs are overdue; Quench goes on trying. ${who}`,
      `What was cancelled of h2 (id) has been stopped: 7 tasks were given up unstarted. ${who}`,
    ])
  })

  test('nothing of dispatches and cancellations inside another dispatch', () => {
    expect(told(example('Dispatch', { state: 'failed', depth: 1 }))).toEqual([])
    expect(told(example('Cancellation', { state: 'unconfirmed', depth: 2 }))).toEqual([])
  })
})

describe('notify', () => {
  test('tells of failures and of what does not stop where nothing else is said', () => {
    expect(parseConfig({ notify: {} }).notify?.on).toEqual(['dispatch-failed', 'cancellation-unconfirmed'])
  })

  test('takes a topic that is there, and makes none', () => {
    const topicArn = 'arn:aws:sns:eu-central-1:111122223333:lab'
    const count = (config: object) => Object.keys(synthesise(config).ofType('AWS::SNS::Topic')).length
    expect(count({ notify: {} }) - count({ notify: { topicArn } })).toBe(1)
    const text = JSON.stringify(synthesise({ notify: { topicArn } }).ofType('AWS::Events::Rule'))
    expect(text.split(topicArn)).toHaveLength(3)
  })

  test('makes no rule where it is not configured', () => {
    const patterns = Object.values(synthesise({}).ofType('AWS::Events::Rule')).map(({ Properties }) => Properties)
    expect(JSON.stringify(patterns)).not.toContain(`"source":["${eventSource}"]`)
  })
})
