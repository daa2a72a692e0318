import { describe, expect, test } from 'vitest'
import type { Task } from '../../../lib/domain/graph/graph.ts'
import { packProblems, packsOf } from '../../../lib/domain/graph/packs.ts'
import { aGraph } from '../../support/builders.ts'

const pack = 'P'
const problemsOf = (...tasks: readonly Partial<Task>[]) => packProblems(aGraph(tasks).tasks)

test('the members of a pack are those that name it, in id order', () => {
  const packs = packsOf(aGraph([{ pack }, {}, { pack: 'Q' }, { pack }]).tasks)
  const ids = [...packs].map(([name, members]) => [name, members.map(({ id }) => id)])
  expect(ids).toEqual([
    ['P', [0, 3]],
    ['Q', [2]],
  ])
})

describe('a pack is in order', () => {
  test('where its members need the same, are needed, and need other packs', () => {
    const second = { pack: 'Q', needs: [1] }
    expect(problemsOf({}, { pack, needs: [0] }, { pack, needs: [0] }, second, second)).toEqual([])
  })

  test('also beside a circle of others, which is told elsewhere', () => {
    expect(problemsOf({ pack }, { needs: [2] }, { needs: [1] })).toEqual([])
  })
})

describe('a pack is refused', () => {
  test.each<[string, readonly Partial<Task>[], { path: string; message: string }]>([
    [
      'with the post-processing task in it',
      [{ pack }, { pack, postProcess: true }],
      { path: 'tasks[1].pack', message: 'the post-processing task runs last, and in no pack' },
    ],
    [
      'with a sublattice in it',
      [{ pack, executor: 'sublattice' }],
      { path: 'tasks[0].pack', message: 'a sublattice is a dispatch, and in no pack' },
    ],
    [
      'on two back ends',
      [{ pack }, { pack, executor: 'ssh' }],
      { path: 'tasks[1].pack', message: 'pack "P" is on batch, this task is on ssh' },
    ],
    [
      'whose members need each other',
      [{ pack }, { pack, needs: [0] }],
      { path: 'tasks[0].pack', message: 'a pack cannot wait for itself: pack P needs pack P' },
    ],
    [
      'whose members need each other through others',
      [{ pack }, { needs: [0] }, { pack, needs: [1] }],
      { path: 'tasks[0].pack', message: 'a pack cannot wait for itself: pack P needs task-1 needs pack P' },
    ],
  ])('%s', (_, tasks, problem) => {
    expect(problemsOf(...tasks)).toEqual([problem])
  })
})
