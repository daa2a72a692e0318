import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Prices } from '../../lib/back-ends/prices.ts'
import { composeLocal } from '../../lib/local/compose.ts'
import { pricesSchema } from '../../lib/schema/prices.ts'

async function pricesOfARegion(prices?: Prices) {
  const directory = await mkdtemp(join(tmpdir(), 'quench-prices-'))
  const region = await composeLocal({
    directory,
    vcpus: 1,
    hosts: [],
    stopTimeoutSeconds: 1,
    ...(prices && { prices }),
  })
  const onHost = { executor: 'ssh', options: { host: 'lab-1' } }
  const quantum = { executor: 'braket', options: { device: 'sv1', shots: 1 } }
  const found = [onHost, quantum].map(region.context.policy.priceOf)
  await region.close({ detachJobs: false })
  await rm(directory, { recursive: true })
  return found
}

test('on one machine no price is known, until somebody gives some', async () => {
  expect(await pricesOfARegion()).toEqual([undefined, undefined])
})

test('with prices, devices cost what AWS lists, too', async () => {
  const prices = pricesSchema.parse({ hosts: { 'lab-1': { usdPerCoreHour: 0.36 } } })
  expect(await pricesOfARegion(prices)).toEqual([
    { perSecondUsd: expect.closeTo(0.0001), minimumSeconds: 0, commitUsd: 0 },
    { perSecondUsd: 0.075 / 60, minimumSeconds: 3, commitUsd: 0 },
  ])
})
