import { describe, expect, test } from 'vitest'
import type { Prices, QueuePrice } from '../../../lib/back-ends/prices.ts'
import type { JsonObject } from '../../../lib/domain/json.ts'
import { aPriceOf, charge } from './a-price-of.ts'

const hour = 3600
const nothing = { perSecondUsd: 0, minimumSeconds: 0, commitUsd: 0 }
/** What an hour of a task costs. */
const anHour = (prices: Partial<Prices>, executor: string, options: JsonObject) =>
  charge(aPriceOf(prices)({ executor, options }), hour)

describe('Batch', () => {
  const price = (queue: QueuePrice, options: JsonObject = {}) =>
    aPriceOf({ queues: { default: queue } })({ executor: 'batch', options: { jobQueue: 'default', ...options } })
  const m5: QueuePrice = { kind: 'ec2', instanceType: 'm5.xlarge', region: 'us-east-1' }
  const fargate: QueuePrice = { kind: 'fargate', region: 'us-east-1', architecture: 'X86_64' }

  test('a job on Fargate is billed for a minute at least', () => {
    const job = price(fargate, { vcpus: 1, memoryMiB: 1024 })
    expect(charge(job, 1)).toBeCloseTo((0.04048 + 0.004445) / 60)
    expect(charge(job, 1)).toBe(charge(job, 60))
  })

  test.each([
    ['its vCPUs', { vcpus: 2, memoryMiB: 1024 }, 0.5],
    ['its memory', { vcpus: 1, memoryMiB: 12 * 1024 }, 0.75],
    ['all of it', { vcpus: 4, memoryMiB: 1024 }, 1],
  ])('a job on EC2 pays the share of an instance that it takes: %s', (_, options, share) => {
    expect(charge(price(m5, options), hour)).toBeCloseTo(0.192 * share)
  })

  test('a job that takes one of four GPUs pays a quarter of the instance', () => {
    const queue: QueuePrice = { ...m5, instanceType: 'g5.12xlarge' }
    expect(charge(price(queue, { vcpus: 4, memoryMiB: 4096, gpus: 1 }), hour)).toBeCloseTo(5.672 / 4)
  })

  test('what a task leaves out is as its job definition has it', () => {
    const queue: QueuePrice = { ...fargate, jobDefaults: { vcpus: 2, memoryMiB: 4096 } }
    expect(price(queue)).toEqual(price(fargate, { vcpus: 2, memoryMiB: 4096 }))
    expect(price(queue, { vcpus: 1 })).toEqual(price(fargate, { vcpus: 1, memoryMiB: 4096 }))
  })

  test.each([
    ['the size of the job', fargate, { vcpus: 1 }],
    ['the size of the job', m5, { memoryMiB: 1024 }],
    ['the Region', { ...fargate, region: 'eu-south-1' }, { vcpus: 1, memoryMiB: 1024 }],
    ['the Region', { kind: 'fargate', architecture: 'X86_64' }, { vcpus: 1, memoryMiB: 1024 }],
    ['the Region', { ...m5, region: 'eu-west-1' }, { vcpus: 1, memoryMiB: 1024 }],
    ['the architecture', { ...fargate, region: 'eu-central-1', architecture: 'ARM64' }, { vcpus: 1, memoryMiB: 1024 }],
    ['the instance type', { ...m5, instanceType: 'x1.32xlarge' }, { vcpus: 1, memoryMiB: 1024 }],
    ['the memory', { kind: 'usd-per-vcpu-hour', usdPerVcpuHour: 1, usdPerGbHour: 1 }, { vcpus: 1 }],
    ['the number of vCPUs', { kind: 'usd-per-vcpu-hour', usdPerVcpuHour: 1 }, {}],
  ] satisfies [string, QueuePrice, JsonObject][])('without %s the price is unknown', (_, queue, options) => {
    expect(price(queue, options)).toBeUndefined()
  })

  test.each([
    ['rates of Fargate', { ...fargate, region: 'eu-south-1', usdPerVcpuHour: 0.05, usdPerGbHour: 0.005 }, 0.11],
    ['one of the rates', { ...fargate, usdPerVcpuHour: 0.05 }, 2 * 0.05 + 2 * 0.004445],
    ['an hour of the instance', { ...m5, region: 'eu-west-1', usdPerHour: 0.2 }, 0.1],
    ['the size of the instance', { ...m5, vcpus: 8, memoryMiB: 8192 }, 0.192 / 4],
    ['an instance altogether', { ...m5, instanceType: 'own.big', usdPerHour: 4, vcpus: 8, memoryMiB: 65_536 }, 1],
    ['a price by the vCPU', { kind: 'usd-per-vcpu-hour', usdPerVcpuHour: 0.03 }, 0.06],
    ['and by the GB', { kind: 'usd-per-vcpu-hour', usdPerVcpuHour: 0.03, usdPerGbHour: 0.01 }, 0.08],
  ] satisfies [string, QueuePrice, number][])('an operator may say what it costs: %s', (_, queue, usd) => {
    expect(charge(price(queue, { vcpus: 2, memoryMiB: 2048 }), hour)).toBeCloseTo(usd)
  })

  test.each(['gpu', 'constructor'])('of the queue "%s" nobody has said anything', (jobQueue) => {
    expect(aPriceOf({ queues: { default: m5 } })({ executor: 'batch', options: { jobQueue } })).toBeUndefined()
  })
})

describe('Braket', () => {
  const price = (device: string, devices: Prices['devices'] = {}) =>
    aPriceOf({ devices })({ executor: 'braket', options: { device, shots: 1000 } })
  const garnet = 'arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet'

  test('a task on a machine is owed when it is made, and its time costs nothing', () => {
    expect(price(garnet)).toEqual({ perSecondUsd: 0, minimumSeconds: 0, commitUsd: expect.closeTo(0.3 + 1.45) })
  })

  test.each([
    ['sv1', 0.075],
    ['dm1', 0.075],
    ['tn1', 0.275],
  ])('a minute on %s costs %d, three seconds at least, and nothing is owed before', (device, usdPerMinute) => {
    expect(price(device)).toEqual({ perSecondUsd: usdPerMinute / 60, minimumSeconds: 3, commitUsd: 0 })
  })

  test.each([
    ['by its ARN', garnet, { [garnet]: { usdPerTask: 1, usdPerShot: 0.01 } }, 11],
    ['by its short name', 'garnet', { garnet: { usdPerTask: 2, usdPerShot: 0.01 } }, 12],
    ['for a simulator', 'sv1', { sv1: { usdPerTask: 0, usdPerShot: 0.001 } }, 1],
  ])('an operator may price a device, %s', (_, device, devices, usd) => {
    expect(price(device, devices)?.commitUsd).toBeCloseTo(usd)
  })

  test.each(['arn:aws:braket:eu-north-1::device/qpu/aqt/Ibex-Q1', 'garnet'])('the price of %s is unknown', (device) => {
    expect(price(device)).toBeUndefined()
  })

  const instances: Partial<Prices> = { hybridJobInstances: { 'ml.m5.large': { usdPerHour: 0.12 } } }
  test('a hybrid job pays for each of its instances', () => {
    expect(anHour(instances, 'braket-job', { instanceType: 'ml.m5.large', instanceCount: 3 })).toBeCloseTo(0.36)
  })

  test('a hybrid job on an instance that nobody has priced is unknown', () => {
    const task = { executor: 'braket-job', options: { instanceType: 'ml.p4d.24xlarge', instanceCount: 1 } }
    expect(aPriceOf(instances)(task)).toBeUndefined()
  })
})

describe('hosts and clusters', () => {
  const hosts = { 'lab-1': { usdPerCoreHour: 0.02 }, 'lab-2': { usdPerCoreHour: 0.02, cores: 16 } }
  test.each([
    ['lab-1', 0.02],
    ['lab-2', 0.32],
  ])('a task on %s pays for the cores that it may use', (host, usd) => {
    expect(anHour({ hosts }, 'ssh', { host, command: 'true' })).toBeCloseTo(usd)
  })

  const clusters = { hpc: { usdPerCoreHour: 0.01 } }
  test.each([
    ['one', {}, 1],
    ['one a node', { nodes: 3 }, 3],
    ['of the whole job', { nodes: 2, ntasks: 16 }, 16],
    ['of every task', { ntasks: 4, cpusPerTask: 8 }, 32],
    ['of the most nodes', { nodes: '2-4', cpusPerTask: 2 }, 8],
    ['of the fewest nodes that it asks for', { nodes: '4-8', ntasks: 2 }, 4],
  ])('a job of Slurm pays for its cores: %s', (_, options, cores) => {
    expect(anHour({ clusters }, 'slurm', { cluster: 'hpc', ...options })).toBeCloseTo(0.01 * cores)
  })

  test('a task need not name the only cluster', () => {
    expect(anHour({ clusters }, 'slurm', {})).toBeCloseTo(0.01)
    const two = { ...clusters, old: { usdPerCoreHour: 0.001 } }
    expect(aPriceOf({ clusters: two })({ executor: 'slurm', options: {} })).toBeUndefined()
  })

  test('what nobody has said is unknown, not nothing', () => {
    expect(aPriceOf({ hosts })({ executor: 'ssh', options: { host: 'lab-9' } })).toBeUndefined()
    expect(aPriceOf({ clusters })({ executor: 'slurm', options: { cluster: 'old' } })).toBeUndefined()
    expect(aPriceOf({ hosts, clusters })({ executor: 'cray', options: {} })).toBeUndefined()
  })
})

test('a sublattice costs nothing by itself', () => {
  const task = { executor: 'sublattice', options: { graph: {} } }
  expect(aPriceOf({})(task)).toEqual(nothing)
})
