import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { forwardedRegions, parseConfig, pricesOf } from '../../cdk/config.ts'

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

const withQueue = (config: object) => pricesOf(parseConfig({ batch: { fargate: { vcpus: 2 } }, ...config })).queues
const jobDefaults = { vcpus: 2, memoryMiB: 2048 }

test('the queue of the stack has its price by itself, where its Region is said and known', () => {
  const listed = { kind: 'fargate', architecture: 'X86_64', region: 'eu-west-2', jobDefaults }
  expect(withQueue({ region: 'eu-west-2' })).toEqual({ default: listed })
  expect(withQueue({ region: 'eu-south-1' })).toEqual({})
  expect(withQueue({})).toEqual({})
})

test('the queue of the stack may be given another price, for jobs of the size of its definition', () => {
  const pricing = { queues: { default: { kind: 'usd-per-vcpu-hour', usdPerVcpuHour: 0.01 } } }
  expect(withQueue({ pricing })).toEqual({ default: { ...pricing.queues.default, jobDefaults } })
})

test('short names of devices have the price of their ARN', () => {
  const config = {
    region: 'us-west-1',
    braket: { devices: { ...devices, ibex: 'arn:aws:braket:eu-north-1::device/qpu/aqt/Ibex-Q1' } },
  }
  expect(pricesOf(parseConfig(config)).devices).toEqual({ ankaa: { usdPerTask: 0.3, usdPerShot: 0.0009 } })
  const given = { usdPerTask: 0.3, usdPerShot: 0.02 }
  const priced = parseConfig({ ...config, pricing: { devices: { [config.braket.devices.ibex]: given } } })
  expect(pricesOf(priced).devices).toMatchObject({ ibex: given })
})

test('a mistake in pricing is told with its place', () => {
  const pricing = { queues: { gpu: { kind: 'ec2', instanceType: 'g5.xlarge', region: 'eu-west-2' } } }
  expect(() => parseConfig({ pricing })).toThrow('pricing.queues.gpu: no price is known of g5.xlarge in eu-west-2')
})

test('the configurations in docs/deploy.md are valid', () => {
  const blocks = [...readFileSync('docs/deploy.md', 'utf8').matchAll(/^```json\n([\s\S]*?)^```/gm)]
  const configurations = blocks.map(([, text = '']) => text).filter((text) => text.includes('"batch"'))
  expect(configurations).toHaveLength(2)
  for (const text of configurations) expect(() => parseConfig(JSON.parse(text))).not.toThrow()
})
