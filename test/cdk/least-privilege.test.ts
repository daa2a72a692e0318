import { describe, expect, test } from 'vitest'
import reference from './fixtures/service-authorization.json' with { type: 'json' }
import { statementsOf } from './policies.ts'
import { synthesise } from './template.ts'

const template = synthesise()
const typesOf: Readonly<Record<string, readonly string[]>> = reference.resourceTypes
const roles = Object.keys(template.ofType('AWS::IAM::Role'))
const statements = roles.flatMap((role) => statementsOf(template, role).map((statement) => ({ role, ...statement })))

/** ARNs of the resource types in use. Source: the "Resource types" table of the same pages. */
const arnOf: Readonly<Record<string, RegExp>> = {
  bucket: /^arn:aws:s3:::[^/]+$/,
  device: /^arn:aws:braket:[^:]*:[^:]*:device\/.+/,
  document: /^arn:aws:ssm:[^:]+:[^:]*:document\//,
  'event-bus': /^arn:aws:events:[^:]+:\d+:event-bus\/default$/,
  execution: /^arn:aws:states:[^:]+:\d+:execution:[^:]+:.+/,
  function: /^arn:aws:lambda:[^:]+:\d+:function:/,
  index: /^arn:aws:dynamodb:[^:]+:\d+:table\/[^/]+\/index\/.+/,
  instance: /^arn:aws:ec2:[^:]+:\d+:instance\//,
  'job-definition': /^arn:aws:batch:[^:]+:\d+:job-definition\/[^:]+$/,
  'job-definition-revision': /^arn:aws:batch:[^:]+:\d+:job-definition\/[^:]+:.+/,
  'job-queue': /^arn:aws:batch:[^:]+:\d+:job-queue\//,
  job: /^arn:aws:(batch|braket):[^:]+:\d+:job\//,
  'log-group': /^arn:aws:logs:[^:]+:\d+:log-group:/,
  'log-stream': /^arn:aws:logs:[^:]+:\d+:log-group:/,
  'managed-instance': /^arn:aws:ssm:[^:]+:\d+:managed-instance\//,
  object: /^arn:aws:s3:::[^/]+\/.+/,
  'quantum-task': /^arn:aws:braket:[^:]+:\d+:quantum-task\//,
  queue: /^arn:aws:sqs:/,
  role: /^arn:aws:iam::\d+:role\//,
  statemachine: /^arn:aws:states:[^:]+:\d+:stateMachine:/,
  stream: /^arn:aws:dynamodb:[^:]+:\d+:table\/[^/]+\/stream\/.+/,
  table: /^arn:aws:dynamodb:[^:]+:\d+:table\/[^/]+$/,
}

describe('every role', () => {
  test('allows only actions whose resource types we have looked up', () => {
    expect(statements.flatMap(({ Action }) => Action).filter((action) => typesOf[action] === undefined)).toEqual([])
  })

  test('has * for a resource only where an action has no resource type', () => {
    const open = statements.filter(({ Resource }) => Resource.includes('*')).flatMap(({ Action }) => Action)
    expect([...new Set(open)].filter((action) => typesOf[action]?.length !== 0)).toEqual([])
  })

  test('names resources of the types that its actions take', () => {
    const isOf = (action: string, arn: string) => (typesOf[action] ?? []).some((type) => arnOf[type]?.test(arn))
    const wrong = statements
      .filter(({ Resource }) => !Resource.includes('*'))
      .flatMap(({ role, Action, Resource }) => [
        ...Action.filter((action) => !Resource.some((arn) => isOf(action, arn))).map((action) => ({ role, action })),
        ...Resource.filter((arn) => !Action.some((action) => isOf(action, arn))).map((arn) => ({ role, arn })),
      ])
    expect(wrong).toEqual([])
  })

  test('has no managed policy and no wildcard in an action', () => {
    for (const { Properties } of Object.values(template.ofType('AWS::IAM::Role')))
      expect(Properties.ManagedPolicyArns).toBeUndefined()
    expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([])
  })

  test('is passed on only to Braket', () => {
    const passing = statements.filter(({ Action }) => Action.includes('iam:PassRole'))
    for (const { Condition } of passing)
      expect(Condition).toEqual({ StringEquals: { 'iam:PassedToService': 'braket.amazonaws.com' } })
  })
})

test('every function has a role of its own', () => {
  const used = Object.values(template.ofType('AWS::Lambda::Function')).map(({ Properties }) =>
    JSON.stringify(Properties.Role),
  )
  expect(used).toHaveLength(8)
  expect(new Set(used).size).toBe(8)
})

test('the reference lists no action that nothing allows', () => {
  const allowed = new Set(statements.flatMap(({ Action }) => Action))
  expect(Object.keys(typesOf).filter((action) => !allowed.has(action))).toEqual([])
})
