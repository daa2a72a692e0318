import { expect, test } from 'vitest'
import { executorsOf } from '../../../lib/domain/graph/executors-of.ts'
import type { JsonObject } from '../../../lib/domain/json.ts'
import { aGraph } from '../../support/builders.ts'

const inner = (options: JsonObject) => ({ executor: 'sublattice', options })

test('the executors of a graph are sorted, and each is there once', () => {
  const graph = aGraph([{ executor: 'ssh' }, { executor: 'batch' }, { executor: 'ssh' }])
  expect(executorsOf(graph)).toEqual(['batch', 'ssh'])
})

test('those of the graphs inside it are among them, however deep', () => {
  const deepest = { tasks: [{ executor: 'braket', options: {} }, { executor: 'slurm' }] }
  const graph = aGraph([inner({ graph: { tasks: [inner({ graph: deepest }), { executor: 'ssh' }] } })])
  expect(executorsOf(graph)).toEqual(['braket', 'slurm', 'ssh', 'sublattice'])
})

test.each<JsonObject>([
  { graphFrom: '${tasks.plan.result}' },
  { graph: 'no graph' },
  { graph: [] },
  { graph: { tasks: 'none' } },
  { graph: { tasks: [null, 'x', { executor: 3 }] } },
])('what is no graph, or not one yet, adds nothing: %j', (options) => {
  expect(executorsOf(aGraph([inner(options)]))).toEqual(['sublattice'])
})

test('options of others that are called graph mean nothing', () => {
  expect(executorsOf(aGraph([{ options: { graph: { tasks: [{ executor: 'ssh' }] } } }]))).toEqual(['batch'])
})
