import { expect, test } from 'vitest'
import { effectiveNeeds } from '../../../lib/domain/graph/effective-needs.ts'
import { aGraph } from '../../support/builders.ts'

test('the post-processing task waits for its own needs and for every task that nothing else needs', () => {
  const graph = aGraph([{}, { needs: [0] }, { needs: [0] }, { postProcess: true, needs: [0] }])
  expect(effectiveNeeds(graph)).toEqual([[], [0], [0], [0, 1, 2]])
})

test('a task that only the post-processing task needs is waited for once', () => {
  const graph = aGraph([{}, { postProcess: true, needs: [0] }])
  expect(effectiveNeeds(graph)).toEqual([[], [0]])
})

test('a post-processing task alone waits for nothing', () => {
  expect(effectiveNeeds(aGraph([{ postProcess: true }]))).toEqual([[]])
})

test('a graph is worked out once', () => {
  const graph = aGraph()
  expect(effectiveNeeds(graph)).toBe(effectiveNeeds(graph))
})
