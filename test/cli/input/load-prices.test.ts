import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createPriceOf } from '../../../lib/back-ends/registry.ts'
import { loadPrices } from '../../../lib/cli/input/load-prices.ts'
import { InvalidInput } from '../../../lib/domain/errors.ts'

const failure = (text: string): unknown => {
  try {
    return loadPrices(text, 'prices.json')
  } catch (error) {
    return error
  }
}

test('the example prices what the embedded server has', () => {
  const priceOf = createPriceOf(loadPrices(readFileSync('examples/prices.json', 'utf8'), 'prices.json'))
  for (const [executor, options] of [
    ['batch', { jobQueue: 'default' }],
    ['braket-job', { instanceType: 'ml.m5.large', instanceCount: 1 }],
    ['ssh', { host: 'lab-1' }],
    ['ssh', { host: 'lab-2' }],
    ['slurm', { cluster: 'local' }],
  ] as const)
    expect(priceOf({ executor, options })?.perSecondUsd).toBeGreaterThan(0)
})

test('text that is no JSON is refused with file and place', () => {
  expect(failure('{"hosts": ')).toEqual(new InvalidInput('prices.json is not JSON: line 1, column 11: Unexpected end'))
})

test('wrong prices are refused with file and every place', () => {
  const error = failure('{"hosts": {"lab-1": {}}, "clusters": {"local": {"usdPerCoreHour": -1}}}')
  expect(error).toBeInstanceOf(InvalidInput)
  expect(error).toMatchObject({
    message: 'prices.json does not hold valid prices:',
    details: [{ path: 'hosts.lab-1.usdPerCoreHour' }, { path: 'clusters.local.usdPerCoreHour' }],
  })
})
