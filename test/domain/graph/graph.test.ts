import { expect, test } from 'vitest'
import { resolveGraph } from '../../../lib/domain/graph/draft-graph.ts'
import { ownOptions } from '../../../lib/domain/graph/graph.ts'

const options = { graph: { name: 'inner', tasks: [{ of: '${tasks.inside.result}' }] }, tags: { a: 'b' } }

test('the graph inside a sublattice is none of its own options, and an option called graph elsewhere is', () => {
  expect(ownOptions({ executor: 'sublattice', options })).toEqual({ tags: { a: 'b' } })
  expect(ownOptions({ executor: 'batch', options })).toEqual(options)
})

test('references inside the graph of a sublattice are not references of the task', () => {
  const task = { name: 'a', needs: [], executor: 'sublattice', options, postProcess: false }
  const draft = { name: 'outer', tags: {}, defaults: {}, tasks: [task] }
  expect(resolveGraph(draft, ['sublattice'])).toHaveProperty('graph')
})
