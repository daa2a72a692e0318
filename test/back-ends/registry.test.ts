import { expect, test } from 'vitest'
import type { Context } from '../../lib/app/context.ts'
import { loadExecutors } from '../../lib/aws/load-executors.ts'
import type { ReadLogStream } from '../../lib/back-ends/batch/log-stream.ts'
import { batchOnAws } from '../../lib/back-ends/batch/on-aws.ts'
import { braketOnAws } from '../../lib/back-ends/braket/on-aws.ts'
import { braketJobOnAws } from '../../lib/back-ends/braket-job/on-aws.ts'
import type { Executor } from '../../lib/back-ends/executor.ts'
import { chunks } from '../../lib/back-ends/registry.ts'
import { slurmOnAws } from '../../lib/back-ends/slurm/on-aws.ts'
import { sshOnAws } from '../../lib/back-ends/ssh/on-aws.ts'

const instanceId = 'i-0123456789abcdef0'
const jobRoleArn = 'arn:aws:iam::111122223333:role/Jobs'
const batch = { jobQueues: ['default'] }
const braket = { devices: {}, jobRoleArn }
const machine = { lab: { instanceId } }

const everything = { QUENCH_BUCKET: 'results', QUENCH_BACKENDS: { batch, braket, hosts: machine, clusters: machine } }

const readText = () => Promise.resolve('')
const readLogStream: ReadLogStream = () => Promise.resolve({ text: '', nextOffset: 0 })

const load = (config: typeof everything | object, reading = {}) =>
  loadExecutors({ ...everything, ...config }, reading)(() => ({}) as Context)

test('the functions that plan know of every executor what it says itself', () => {
  const said = load({}).map(({ name, chunk, packing }) => [name, { ...chunk, ...(packing && { packs: true }) }])
  const known = Object.entries(chunks).map(([name, { placeOf, ...sizes }]) => [name, sizes])
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(known))
})

test('only what is configured is there, and sublattices always', () => {
  const names = (backends: object) =>
    load({ QUENCH_BACKENDS: { hosts: {}, clusters: {}, ...backends } }).map(({ name }) => name)
  expect(names({})).toEqual(['sublattice'])
  expect(names({ batch: { jobQueues: [] } })).toEqual(['batch', 'sublattice'])
  expect(names({ braket: { devices: {} } })).toEqual(['braket', 'sublattice'])
  expect(names({ clusters: { hpc: { instanceId } } })).toEqual(['slurm', 'sublattice'])
})

/** Verbs that are there or not decide what is done: a `forestall` less, and a claim waits for its lease. */
const members = ({ packing, ...executor }: Executor) => {
  // To load its code is a preparation of its own.
  const { prepare: _, ...verbs } = executor
  return [...Object.keys(verbs), Object.keys(packing ?? {})].sort()
}

test.each([
  ['batch', batchOnAws(batch, undefined), {}],
  ['batch', batchOnAws(batch, readLogStream), { readLogStream }],
  ['braket', braketOnAws(braket, { bucket: 'results', readText }), {}],
  ['braket-job', braketJobOnAws(braket.devices, 'results', jobRoleArn), {}],
  ['ssh', sshOnAws(machine), {}],
  ['slurm', slurmOnAws(machine), {}],
])('%s is the same before its code is loaded and after', (wanted, loaded, reading) => {
  const later = load({}, reading).find(({ name }) => name === wanted)
  expect(later && members(later)).toEqual(members(loaded))
  const facts = ({ adopts, chunk, iamActions, packing }: Executor) => ({ adopts, chunk, iamActions, packing })
  expect(JSON.stringify(later && facts(later))).toEqual(JSON.stringify(facts(loaded)))
})
