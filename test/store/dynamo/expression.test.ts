import { expect, test } from 'vitest'
import {
  all,
  any,
  type Condition,
  equals,
  isAbsent,
  isOneOf,
  isPresent,
  updateExpressions,
} from '../../../lib/store/dynamo/expression.ts'

const when = equals('version', 3)

test.each<[string, Condition, string]>([
  ['equals', equals('state', 'queued'), '#n0 = :v0'],
  ['isOneOf', isOneOf('state', ['failed', 'lost']), '#n0 IN (:v0, :v1)'],
  ['isAbsent', isAbsent(['fences', 'f-1']), 'attribute_not_exists(#n0.#n1)'],
  ['isPresent', isPresent('live'), 'attribute_exists(#n0)'],
  [
    'all',
    all(isPresent('a'), equals('b', 1), isAbsent('c')),
    'attribute_exists(#n0) AND #n1 = :v0 AND attribute_not_exists(#n2)',
  ],
  [
    'any',
    any(isAbsent('a'), all(isPresent('b'), equals('c', 1))),
    'attribute_not_exists(#n0) OR attribute_exists(#n1) AND #n2 = :v0',
  ],
])('the condition %s', (_, condition, text) => {
  expect(updateExpressions({ set: {}, remove: [], when: condition }).ConditionExpression).toBe(text)
})

test('one update sets, sets inside a map, counts up and takes away', () => {
  const expressions = updateExpressions({
    set: { state: 'failed', exitCode: undefined, missingSince: null },
    setAt: [{ path: ['fences', 'a b.c'], value: { at: 1 } }],
    increment: ['version'],
    remove: ['live'],
    when,
  })
  expect(expressions).toEqual({
    UpdateExpression: 'SET #n0 = :v0, #n1.#n2 = :v1, #n3 = #n3 + :v2 REMOVE #n4, #n5',
    ConditionExpression: '#n3 = :v3',
    ExpressionAttributeNames: {
      '#n0': 'state',
      '#n1': 'fences',
      '#n2': 'a b.c',
      '#n3': 'version',
      '#n4': 'missingSince',
      '#n5': 'live',
    },
    ExpressionAttributeValues: { ':v0': 'failed', ':v1': { at: 1 }, ':v2': 1, ':v3': 3 },
  })
})

test('what is not there is left out: no empty clause, and no empty map of values', () => {
  expect(updateExpressions({ set: { a: undefined }, remove: ['live'], when: isPresent('live') })).toEqual({
    UpdateExpression: 'REMOVE #n0',
    ConditionExpression: 'attribute_exists(#n0)',
    ExpressionAttributeNames: { '#n0': 'live' },
  })
  expect(updateExpressions({ set: { a: 1 }, when }).UpdateExpression).toBe('SET #n0 = :v0')
})
