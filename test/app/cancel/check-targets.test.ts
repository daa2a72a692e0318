import { expect, test } from 'vitest'
import { checkTargets } from '../../../lib/app/cancel/check-targets.ts'
import { InvalidInput } from '../../../lib/domain/errors.ts'
import { aGraph } from '../../support/builders.ts'

const graph = aGraph([{}, {}, {}])

test('targets come in order, each once', () => {
  expect(checkTargets(graph, [2, 0, 2])).toEqual([0, 2])
})

test('every id that the graph has not is named, with its place and with those that there are', () => {
  const check = () => checkTargets(graph, [3, 2, 7])
  expect(check).toThrow(InvalidInput)
  expect(check).toThrow(
    expect.objectContaining({
      details: [
        { path: 'taskIds[0]', message: 'there is no task 3: ids run from 0 to 2' },
        { path: 'taskIds[2]', message: 'there is no task 7: ids run from 0 to 2' },
      ],
    }),
  )
})
