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

const topicArn = 'arn:aws:sns:eu-west-1:111122223333:costs'
const where = 'tag:project=h2'

test.each<[string, object, RegExp]>([
  ['a budget without a name', { kind: 'budget', where }, /triggers\[0\]\.name: must be the name of the budget/],
  [
    'an alarm without name and tags',
    { kind: 'alarm', where },
    /name: must be the name of the alarm, or give alarmTags/,
  ],
  [
    'an alarm with both',
    { kind: 'alarm', name: 'a', alarmTags: { a: 'b' }, where },
    /name: must be the name of the alarm/,
  ],
  [
    'tags through a topic',
    { kind: 'alarm', alarmTags: { a: 'b' }, topicArn, where },
    /alarmTags: are read from EventBridge/,
  ],
  ['tags that are none', { kind: 'alarm', name: 'a', alarmTags: {}, where }, /alarmTags: must be one at least/],
  ['tags of a budget', { kind: 'budget', name: 'a', alarmTags: { a: 'b' }, where }, /alarmTags: are for alarms/],
  ['no selector', { kind: 'alarm', name: 'a' }, /where: must say which dispatches/],
  ['an empty selector', { kind: 'alarm', name: 'a', where: '' }, /where: it names no condition/],
  [
    'a selector with problems',
    { kind: 'alarm', name: 'a', where: 'tag:x owner' },
    /where: tag: x is not.*\n.*where: owner: write/,
  ],
  ['owner:me', { kind: 'alarm', name: 'a', where: 'owner:me' }, /where: owner: nobody is "me" here/],
  ['a request with a selector', { kind: 'request', where }, /where: must be left out/],
  ['what there was before', { kind: 'alarm', name: 'a', tag: 'project=h2', where }, /tag/],
])('a trigger is refused with %s', (_, trigger, problem) => {
  expect(() => parseConfig({ triggers: [trigger] })).toThrow(problem)
})

test('two triggers for the same thing are refused: only the first would count', () => {
  const alarm = { kind: 'alarm', name: 'a', where }
  expect(() => parseConfig({ triggers: [alarm, { ...alarm, where: 'all:true' }] })).toThrow(
    /triggers\[1\]: there is one/,
  )
  expect(() => parseConfig({ triggers: [alarm, { ...alarm, topicArn }] })).not.toThrow()
})

test('a budget of our own has a limit, a selector and a name that AWS takes', () => {
  const wrong = { budgets: [{ name: 'a:b', limitUsd: 0, where: 'x' }] }
  expect(() => parseConfig(wrong)).toThrow(/budgets\[0\]\.name: .*\n.*limitUsd.*\n.*where: x: write key:value/)
  expect(parseConfig({ budgets: [{ name: 'h2', limitUsd: 5, where }] }).budgets).toEqual([
    { name: 'h2', limitUsd: 5, timeUnit: 'MONTHLY', atPercent: 100, where },
  ])
})

test('more hosts than fit a Lambda variable are refused', () => {
  const hosts = Object.fromEntries(
    Array.from({ length: 100 }, (_, n) => [`host-${n}`, { instanceId: 'i-0123456789abcdef0' }]),
  )
  expect(() => parseConfig({ hosts })).toThrow(/3500/)
})

test('less is not set aside for cancels than a queue takes half of', () => {
  const reserving = (cancel: number) => () => parseConfig({ reservedConcurrency: { cancel } })
  expect(reserving(3)).toThrow('reservedConcurrency.cancel')
  expect(reserving(4)).not.toThrow()
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

test('a price of what is not configured is refused: nothing would ever cost it', () => {
  const rate = { usdPerCoreHour: 0.02 }
  const queue = { kind: 'usd-per-vcpu-hour', usdPerVcpuHour: 0.01 }
  const pricing = { queues: { gpus: queue }, hosts: { lab: rate }, clusters: { hpc: rate } }
  expect(() => parseConfig({ batch: { jobQueues: ['gpu'] }, pricing })).toThrow(
    /pricing\.queues\.gpus: is not configured.*\n.*pricing\.hosts\.lab: .*\n.*pricing\.clusters\.hpc: /,
  )
})

test('the configurations in docs/deploy.md are valid', () => {
  const blocks = [...readFileSync('docs/deploy.md', 'utf8').matchAll(/^```json\n([\s\S]*?)^```/gm)]
  const configurations = blocks.map(([, text = '']) => text).filter((text) => text.includes('"batch"'))
  expect(configurations).toHaveLength(2)
  for (const text of configurations) expect(() => parseConfig(JSON.parse(text))).not.toThrow()
})
