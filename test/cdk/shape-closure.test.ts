import { describe, expect, test } from 'vitest'
import { functionVariables, readConfig } from '../../lib/aws/config.ts'
import { readCancelEvent } from '../../lib/aws/triggers/read-cancel-event.ts'
import { readBatchEvent } from '../../lib/back-ends/batch/news.ts'
import { readBraketEvent } from '../../lib/back-ends/braket/news.ts'
import { eventSource } from '../../lib/schema/announcements.ts'
import { executionEvent } from '../../lib/schema/lambda.ts'
import { matchesRule } from './event-rule.ts'
import { samples } from './fixtures/event-samples.ts'
import { functionOf } from './policies.ts'
import { fullConfig, place, synthesise } from './template.ts'

const full = synthesise()
const names = Object.keys(functionVariables) as (keyof typeof functionVariables)[]

const variablesOf = (name: string) => {
  const { Environment } = functionOf(full, name).Properties as { Environment: { Variables: Record<string, unknown> } }
  return full.resolve(Environment.Variables) as Record<string, string>
}

describe('environment', () => {
  test.each(names)('%s gets exactly the variables that it reads', (name) => {
    expect(Object.keys(variablesOf(name)).sort()).toEqual([...functionVariables[name]].sort())
  })

  test.each(names)('%s can read what it gets', (name) => {
    expect(() => readConfig(name, variablesOf(name))).not.toThrow()
  })

  test('what is configured arrives', () => {
    const config = readConfig('cancel', variablesOf('cancel'))
    expect(config.QUENCH_BACKENDS).toEqual({
      batch: { jobQueues: ['default', 'gpu'] },
      braket: fullConfig.braket,
      hosts: fullConfig.hosts,
      clusters: fullConfig.clusters,
    })
    expect(config.QUENCH_ADMINS).toEqual({ ...fullConfig.admins, groups: [] })
    const topics = Object.keys(full.ofType('AWS::SNS::Topic')).map((id) => full.resolve({ Ref: id }))
    const [budget, spend] = config.QUENCH_TRIGGERS.slice(fullConfig.triggers.length)
    expect(config.QUENCH_TRIGGERS.slice(0, -2)).toEqual(fullConfig.triggers)
    expect(budget).toEqual({ kind: 'budget', name: 'h2', topicArn: expect.any(String), where: 'tag:project=h2' })
    expect(topics).toContain(budget?.topicArn)
    expect(spend).toEqual({ kind: 'alarm', name: 'quench: Spend rate', where: 'all:true' })
  })

  test.each(['api', 'cancel', 'turn'] as const)('%s knows the prices', (name) => {
    const own = {
      kind: 'fargate',
      region: place.region,
      architecture: 'X86_64',
      jobDefaults: { vcpus: 1, memoryMiB: 2048 },
    }
    expect(readConfig(name, variablesOf(name)).QUENCH_PRICES).toEqual({
      ...fullConfig.pricing,
      queues: { ...fullConfig.pricing.queues, default: own },
      devices: { ankaa: { usdPerTask: 0.3, usdPerShot: 0.0009 } },
      hybridJobInstances: {},
    })
  })
})

const dispatchId = '00000000-0000-4000-8000-000000000001'
const patterns = Object.values(full.ofType('AWS::Events::Rule'))
  .map(({ Properties }) => full.resolve(Properties.EventPattern) as Record<string, unknown> | undefined)
  .filter((pattern) => pattern !== undefined)
  // What goes out: notices.test.ts.
  .filter(({ source }) => String(source) !== eventSource)
const matching = (event: Record<string, unknown>) => patterns.filter((pattern) => matchesRule(pattern, event)).length

/** A documented sample that is about us: only fields that it has are changed. */
function ours(event: { readonly detail: object }, detail: Readonly<Record<string, unknown>>): Record<string, unknown> {
  for (const key of Object.keys(detail)) expect(event.detail).toHaveProperty(key)
  return { ...event, detail: { ...event.detail, ...detail } }
}

/** The documentation says that these come along, and shows no sample. */
function tagged(
  event: { readonly detail: object },
  alarmTags: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return { ...event, detail: { ...event.detail, alarmTags, alarmTagsStatus: 'SUCCESS' } }
}

const machineArn = 'arn:aws:states:eu-central-1:111122223333:stateMachine:quench-dispatch'

describe('events', () => {
  const about = {
    'a Batch job': ours(samples.batchJob.event, { jobName: `quench-${dispatchId}-0-1` }),
    'a quantum task': ours(samples.braketTask.event, {
      outputS3Bucket: 'amazon-braket-quench-111122223333-eu-central-1',
      outputS3Directory: `braket/quench-${dispatchId}-0-1/834b21ed-77a7-4b36-a90c-c776afc9a71e`,
    }),
    'a hybrid job': { ...samples.braketJob.event },
    'an execution': ours(samples.execution.event, { stateMachineArn: machineArn, status: 'ABORTED' }),
    'an alarm that is a trigger': ours(samples.alarm.event, { alarmName: 'spend' }),
    'an alarm with tags that are a trigger': tagged(samples.alarm.event, { project: 'h2', team: 'chemistry' }),
    'our own alarm on the spend rate': ours(samples.alarm.event, { alarmName: 'quench: Spend rate' }),
    'a budget of our own': {
      source: 'my.app',
      'detail-type': 'Quench Budget Exceeded',
      detail: { budget: 'lab', limitUsd: 5, spentUsd: 6 },
    },
    'a cancel request': { source: 'my.app', 'detail-type': 'Quench Cancel Request', detail: { dispatchId } },
  }

  test.each(Object.entries(about))('one rule takes the documented event of %s', (_, event) => {
    expect(matching(event)).toBe(1)
  })

  test('no rule takes the documented events of others', () => {
    const { batchJob, braketTask, execution, alarm } = samples
    expect([batchJob, braketTask, execution, alarm].map(({ event }) => matching(event))).toEqual([0, 0, 0, 0])
  })

  test('no rule takes a loop that ended by itself, or an alarm that is over', () => {
    const succeeded = ours(samples.execution.event, { stateMachineArn: machineArn, status: 'SUCCEEDED' })
    const over = ours(samples.alarm.event, { alarmName: 'spend', state: { value: 'OK' } })
    expect([succeeded, over].map(matching)).toEqual([0, 0])
  })

  test('every pattern takes one of them', () => {
    const idle = patterns.filter((pattern) => !Object.values(about).some((event) => matchesRule(pattern, event)))
    expect(idle).toEqual([])
  })

  test('the functions understand what the rules let through', () => {
    expect(readBatchEvent(about['a Batch job'])?.ref.dispatchId).toBe(dispatchId)
    expect(readBraketEvent(about['a quantum task'])?.ref.dispatchId).toBe(dispatchId)
    expect(executionEvent.safeParse(about['an execution']).success).toBe(true)
    const { QUENCH_TRIGGERS } = readConfig('cancel', variablesOf('cancel'))
    const watched = { triggers: QUENCH_TRIGGERS, account: '111122223333' }
    const kindOf = (event: Record<string, unknown>) =>
      readCancelEvent({ id: '1', ...event, account: '111122223333' }, watched)?.map(({ kind }) => kind)
    expect(kindOf(about['a cancel request'])).toEqual(['one'])
    for (const event of [
      about['an alarm that is a trigger'],
      about['an alarm with tags that are a trigger'],
      about['our own alarm on the spend rate'],
      about['a budget of our own'],
    ])
      expect(kindOf(event)).toEqual(['matching'])
  })
})
