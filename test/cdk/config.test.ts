import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { forwardedRegions, parseConfig } from '../../cdk/config.ts'

test('every problem of a configuration is told at once, with its place', () => {
  const wrong = { name: 'No Good', hosts: { lab: { instanceId: 'lab.example.com' } }, reservedConcurency: false }
  expect(() => parseConfig(wrong)).toThrow(/name: .*\n.*hosts\.lab\.instanceId: .*\n.*reservedConcurency/)
})

test('nothing has to be configured', () => {
  expect(parseConfig({})).toMatchObject({ name: 'quench', hosts: {}, protectData: true })
})

const devices = { ankaa: 'arn:aws:braket:us-west-1::device/qpu/rigetti/Ankaa-3' }

test('devices elsewhere need to know the Region of the stack', () => {
  expect(() => parseConfig({ braket: { devices } })).toThrow(/region: .*us-west-1/)
})

test('events are forwarded from every other Region with a device', () => {
  expect(forwardedRegions(parseConfig({ region: 'eu-west-2', braket: { devices } }))).toEqual(['us-west-1'])
  expect(forwardedRegions(parseConfig({ region: 'us-west-1', braket: { devices } }))).toEqual([])
})

test('a budget needs the topic that it tells', () => {
  expect(() => parseConfig({ triggers: [{ kind: 'budget', name: 'monthly' }] })).toThrow(/topicArn/)
})

test('more hosts than fit a Lambda variable are refused', () => {
  const hosts = Object.fromEntries(
    Array.from({ length: 100 }, (_, n) => [`host-${n}`, { instanceId: 'i-0123456789abcdef0' }]),
  )
  expect(() => parseConfig({ hosts })).toThrow(/3500/)
})

test('the configurations in docs/deploy.md are valid', () => {
  const blocks = [...readFileSync('docs/deploy.md', 'utf8').matchAll(/^```json\n([\s\S]*?)^```/gm)]
  const configurations = blocks.map(([, text = '']) => text).filter((text) => text.includes('"batch"'))
  expect(configurations).toHaveLength(2)
  for (const text of configurations) expect(() => parseConfig(JSON.parse(text))).not.toThrow()
})
