import { expect, test } from 'vitest'
import { quantumTaskUsd } from '../../../lib/back-ends/braket/price.ts'
import type { PriceOf } from '../../../lib/domain/budget/price.ts'
import { aPriceOf, charge } from './a-price-of.ts'

const fargate = (region: string, architecture: 'X86_64' | 'ARM64' = 'X86_64') =>
  aPriceOf({ queues: { default: { kind: 'fargate', region, architecture } } })
const ec2 = (instanceType: string) =>
  aPriceOf({ queues: { default: { kind: 'ec2', instanceType, region: 'us-east-1' } } })
const batch = (vcpus: number, memoryMiB: number) => ({
  executor: 'batch',
  options: { jobQueue: 'default', vcpus, memoryMiB },
})
const quantum = (device: string, shots: number) => ({ executor: 'braket', options: { device, shots } })
const ankaa = 'arn:aws:braket:us-west-1::device/qpu/rigetti/Ankaa-3'

interface Example {
  /** The page that works it out, and how. */
  readonly page: string
  readonly priceOf: PriceOf
  readonly task: { readonly executor: string; readonly options: Record<string, string | number> }
  readonly seconds: number
  readonly times: number
  readonly usd: number
}

/**
 * Read on 2026-11-25. The pricing page of Fargate adds storage beyond 20 GB to its first two examples, $0.03 each, which
 * jobs of Batch do not have unless their definition says so.
 */
const fargatePage = 'https://aws.amazon.com/fargate/pricing/, "Pricing Examples"'
const keycloak = 'github.com/aws-samples/keycloak-on-aws, docs/en/implementation-guide/cost.md'
const drugs = 'github.com/awslabs/quantum-computing-exploration-for-drug-discovery-on-aws, docs/en/cost.md of 2021-11'
const braketGuide = 'Braket developer guide, "Cost tracking and saving"'
const minutes = 60
const hours = 3600
const examples: readonly Example[] = [
  {
    page: `${fargatePage}, 1: 5 tasks of 1 vCPU and 2 GB for 10 minutes on 30 days are $1.01 + $0.22`,
    priceOf: fargate('us-east-1'),
    task: batch(1, 2048),
    seconds: 600,
    times: 5 * 30,
    usd: 1.23,
  },
  {
    page: `${fargatePage}, 2: the same on ARM are $0.81 + $0.18`,
    priceOf: fargate('us-east-1', 'ARM64'),
    task: batch(1, 2048),
    seconds: 600,
    times: 5 * 30,
    usd: 0.99,
  },
  {
    page: `${fargatePage}, 3: 10 pods of 0.25 vCPU and 1 GB for an hour on 30 days are $3.04 + $1.33`,
    priceOf: fargate('us-east-1'),
    task: batch(0.25, 1024),
    seconds: hours,
    times: 10 * 30,
    usd: 4.37,
  },
  {
    page: `${keycloak}: 2 tasks of 1 vCPU and 2 GB around the clock, 730 hours, in us-east-1 are $72.08`,
    priceOf: fargate('us-east-1'),
    task: batch(1, 2048),
    seconds: 730 * hours,
    times: 2,
    usd: 72.08,
  },
  {
    page: `${drugs}: c5.large, 60 minutes are $0.09`,
    priceOf: ec2('c5.large'),
    task: batch(2, 4096),
    seconds: 60 * minutes,
    times: 1,
    usd: 0.09,
  },
  {
    page: `${drugs}: c5.4xlarge, 60 minutes are $0.68`,
    priceOf: ec2('c5.4xlarge'),
    task: batch(16, 32_768),
    seconds: 60 * minutes,
    times: 1,
    usd: 0.68,
  },
  {
    page: `${braketGuide}: a task of 4 ms on SV1 is billed for 3 s, $0.00375: a thousand of them`,
    priceOf: aPriceOf({}),
    task: quantum('sv1', 1000),
    seconds: 0.004,
    times: 1000,
    usd: 3.75,
  },
  {
    page: `${braketGuide}: 3 tasks of 200 shots on Rigetti Ankaa-3 are $1.44`,
    priceOf: aPriceOf({}),
    task: quantum(ankaa, 200),
    seconds: 5,
    times: 3,
    usd: 1.44,
  },
]

test.each(examples)('$page', ({ priceOf, task, seconds, times, usd }) => {
  expect((charge(priceOf(task), seconds) * times).toFixed(2)).toBe(usd.toFixed(2))
})

/** Source: the last revision of the same page. It names no rates, and no table of ours has them: an operator gives them. */
test('hybrid jobs on ml.m5.large and ml.m5.4xlarge, 44 minutes each, are $0.76', () => {
  const priceOf = aPriceOf({
    hybridJobInstances: { 'ml.m5.large': { usdPerHour: 0.115 }, 'ml.m5.4xlarge': { usdPerHour: 0.922 } },
  })
  const job = (instanceType: string) =>
    charge(priceOf({ executor: 'braket-job', options: { instanceType, instanceCount: 1 } }), 44 * minutes)
  expect((job('ml.m5.large') + job('ml.m5.4xlarge')).toFixed(2)).toBe('0.76')
})

test('what a quantum task costs at least tells which cancel is the most urgent', () => {
  expect(quantumTaskUsd(ankaa, 200)).toBeCloseTo(0.48)
  expect(quantumTaskUsd('arn:aws:braket:::device/quantum-simulator/amazon/sv1', 200)).toBeCloseTo(0.00375)
  expect(quantumTaskUsd('arn:aws:braket:eu-north-1::device/qpu/aqt/Ibex-Q1', 200)).toBeUndefined()
})
