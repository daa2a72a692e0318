import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import { BraketForwardStack } from '../../cdk/braket-forward-stack.ts'
import { matchesRule } from './event-rule.ts'
import { samples } from './fixtures/event-samples.ts'
import { statementsOf } from './policies.ts'
import { place, readTemplate } from './template.ts'

const stack = new BraketForwardStack(new App(), 'forward', {
  env: { account: place.account, region: 'us-west-1' },
  homeRegion: 'eu-west-2',
})
const template = readTemplate(Template.fromStack(stack).toJSON())
const home = 'arn:aws:events:eu-west-2:111122223333:event-bus/default'

test('the events of Braket elsewhere are sent to where Quench is', () => {
  const [rule] = Object.values(template.ofType('AWS::Events::Rule'))
  const { EventPattern, Targets } = template.resolve(rule?.Properties) as {
    EventPattern: Record<string, unknown>
    Targets: { Arn: string; DeadLetterConfig?: unknown }[]
  }
  expect([samples.braketTask, samples.braketJob].map(({ event }) => matchesRule(EventPattern, event))).toEqual([
    true,
    true,
  ])
  expect(Targets).toMatchObject([{ Arn: home, DeadLetterConfig: expect.anything() }])
})

test('the role of the rule may put events on that bus and nothing else', () => {
  const roles = Object.keys(template.ofType('AWS::IAM::Role'))
  expect(roles.flatMap((role) => statementsOf(template, role))).toEqual([
    { Effect: 'Allow', Action: ['events:PutEvents'], Resource: [home] },
  ])
})
