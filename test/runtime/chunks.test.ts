import { expect, test } from 'vitest'
import type { Context } from '../../lib/app/context.ts'
import { chunks } from '../../lib/runtime/chunks.ts'
import { loadExecutors } from '../../lib/runtime/load-executors.ts'

const instanceId = 'i-0123456789abcdef0'

const everything = {
  QUENCH_BUCKET: 'results',
  QUENCH_BACKENDS: {
    batch: { jobQueues: ['default'] },
    braket: { devices: {}, jobRoleArn: 'arn:aws:iam::111122223333:role/Jobs' },
    hosts: { lab: { instanceId } },
    clusters: { hpc: { instanceId } },
  },
}

const load = async (config: typeof everything | object) =>
  (await loadExecutors({ ...everything, ...config }))(() => ({}) as Context)

test('the functions that plan know of every executor what it says itself', async () => {
  const said = (await load({})).map(({ name, chunk, packing }) => [name, { ...chunk, ...(packing && { packs: true }) }])
  expect(Object.fromEntries(said)).toEqual(chunks)
})

test('only what is configured is there, and sublattices always', async () => {
  const names = async (backends: object) =>
    (await load({ QUENCH_BACKENDS: { hosts: {}, clusters: {}, ...backends } })).map(({ name }) => name)
  expect(await names({})).toEqual(['sublattice'])
  expect(await names({ batch: { jobQueues: [] } })).toEqual(['batch', 'sublattice'])
  expect(await names({ braket: { devices: {} } })).toEqual(['braket', 'sublattice'])
  expect(await names({ clusters: { hpc: { instanceId } } })).toEqual(['slurm', 'sublattice'])
})
