import { expect, test } from 'vitest'
import { functionVariables, readConfig } from '../../lib/aws/config.ts'
import { environment } from './aws-world.ts'

test('each function reads its own variables, and no others', () => {
  for (const name of Object.keys(functionVariables) as (keyof typeof functionVariables)[])
    expect(Object.keys(readConfig(name, environment)).sort()).toEqual([...functionVariables[name]].sort())
})

test('everything that is missing or wrong is reported at once', () => {
  const wrong = { QUENCH_STATE_MACHINE_ARN: 'dispatch', QUENCH_BUCKET: 'b', QUENCH_BACKENDS: '{"batch":{}' }
  expect(() => readConfig('act', wrong)).toThrow(
    /^the function act is not configured: QUENCH_TABLE: .+; QUENCH_STATE_MACHINE_ARN: must be an ARN; QUENCH_BACKENDS: must be JSON$/,
  )
  const misspelt = { ...environment, QUENCH_BACKENDS: '{"batches":{}}' }
  expect(() => readConfig('act', misspelt)).toThrow(/batches/)
})

test('nobody is an admin, and nothing is a trigger, unless it is said', () => {
  const { QUENCH_ADMINS: _, ...rest } = environment
  expect(readConfig('cancel', rest)).toMatchObject({
    QUENCH_ADMINS: { principals: [], groups: [] },
    QUENCH_GROUPS_CLAIM: 'groups',
    QUENCH_TRIGGERS: [],
  })
})

test('nothing has to be said about prices', () => {
  const { QUENCH_PRICES } = readConfig('turn', environment)
  expect(QUENCH_PRICES).toEqual({ queues: {}, devices: {}, hybridJobInstances: {}, hosts: {}, clusters: {} })
})

test('a trigger for alarms or budgets must say for which, and what it cancels', () => {
  const triggers = (...list: object[]) =>
    readConfig('cancel', { ...environment, QUENCH_TRIGGERS: JSON.stringify(list) }).QUENCH_TRIGGERS
  const topicArn = 'arn:aws:sns:eu-west-1:111122223333:costs'
  expect(() => triggers({ kind: 'budget', topicArn })).toThrow(/name: .*where: /)
  expect(triggers({ kind: 'request', topicArn })).toHaveLength(1)
})
