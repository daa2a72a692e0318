import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pricesSchema } from '../../lib/schema/prices.ts'
import { problemsOf } from '../../lib/schema/problems.ts'

const problems = (input: unknown) => {
  const parsed = pricesSchema.safeParse(input)
  return parsed.success ? [] : problemsOf(parsed.error).map(({ path, message }) => `${path}: ${message}`)
}

test('everything that is wrong is told at once, with its place', () => {
  const wrong = {
    queues: {
      odd: { kind: 'lambda' },
      far: { kind: 'fargate', region: 'eu-south-1' },
      nowhere: { kind: 'fargate', usdPerVcpuHour: 0.04 },
      arm: { kind: 'fargate', region: 'us-west-2', architecture: 'ARM64' },
      big: { kind: 'ec2', instanceType: 'x1.32xlarge', region: 'us-east-1' },
      gift: { kind: 'usd-per-vcpu-hour', usdPerVcpuHour: -1 },
    },
    devices: { half: { usdPerTask: 0.3 } },
    hybridJobInstances: { 'ml.m5.large': 0.115 },
    hosts: { 'lab-1': { usdPerCoreHour: '0.02', cores: 0 } },
    clusters: { local: {} },
    host: {},
  }
  expect(problems(wrong)).toEqual([
    expect.stringMatching(/^queues\.odd\.kind: /),
    'queues.far: no price is known for X86_64 in eu-south-1: give usdPerVcpuHour and usdPerGbHour',
    'queues.nowhere: no price is known without a region: give usdPerVcpuHour and usdPerGbHour',
    'queues.arm: no price is known for ARM64 in us-west-2: give usdPerVcpuHour and usdPerGbHour',
    'queues.big: no price is known of x1.32xlarge in us-east-1: give usdPerHour',
    'queues.big: the size of x1.32xlarge is not known: give vcpus and memoryMiB',
    expect.stringMatching(/^queues\.gift\.usdPerVcpuHour: /),
    'devices.half: must have usdPerTask and usdPerShot, or usdPerMinute',
    expect.stringMatching(/^hybridJobInstances\.ml\.m5\.large: /),
    expect.stringMatching(/^hosts\.lab-1\.usdPerCoreHour: /),
    expect.stringMatching(/^hosts\.lab-1\.cores: /),
    expect.stringMatching(/^clusters\.local\.usdPerCoreHour: /),
    expect.stringMatching(/host/),
  ])
})

test.each([
  ['a Region of the table', { kind: 'fargate', region: 'eu-west-1', architecture: 'ARM64' }],
  ['rates of one’s own', { kind: 'fargate', usdPerVcpuHour: 0.012, usdPerGbHour: 0.0013 }],
  ['a type of the table', { kind: 'ec2', instanceType: 'c6i.large', region: 'us-east-1' }],
  ['a type of the table, elsewhere', { kind: 'ec2', instanceType: 'c6i.large', usdPerHour: 0.03 }],
  ['a type of one’s own', { kind: 'ec2', instanceType: 'x', usdPerHour: 1, vcpus: 2, memoryMiB: 4096 }],
])('a queue may have %s', (_, queue) => {
  expect(problems({ queues: { default: queue } })).toEqual([])
})

test.each(['docs/prices.md', 'docs/guide.md'])('the prices in %s are valid', (file) => {
  const blocks = [...readFileSync(file, 'utf8').matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)
  const prices = blocks.filter((text) => text.includes('"queues"'))
  expect(prices).toHaveLength(1)
  for (const text of prices) expect(problems(JSON.parse(text))).toEqual([])
})
