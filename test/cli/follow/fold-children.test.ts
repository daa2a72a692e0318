import { expect, it } from 'vitest'
import { foldChildren } from '../../../lib/cli/follow/fold-children.ts'
import type { ReadSnapshot } from '../../../lib/cli/follow/snapshot-reader.ts'
import type { TaskView } from '../../../lib/schema/api.ts'
import { aDispatch, aTask } from '../../http/recording-api.ts'

/** A reader of dispatches by their tasks, and how often each was read. */
function aReader(tasksOf: Readonly<Record<string, readonly TaskView[]>>) {
  const reads: string[] = []
  const read: ReadSnapshot = async (dispatchId, limit) => {
    reads.push(dispatchId)
    const tasks = tasksOf[dispatchId] ?? []
    return { dispatch: aDispatch({ dispatchId, taskCount: tasks.length }), tasks: tasks.slice(0, limit) }
  }
  return { read, reads }
}

const inner = (taskId: number, childId: string, change: Partial<TaskView> = {}) =>
  aTask({ taskId, name: `in-${childId}`, executor: 'sublattice', state: 'running', childId, ...change })

it('puts the tasks of dispatches inside under their own, at any depth', async () => {
  const { read } = aReader({ a: [aTask({ name: 'x' }), inner(1, 'b')], b: [aTask({ name: 'y' })] })
  const { rows, notes } = await foldChildren([aTask(), inner(1, 'a'), aTask({ taskId: 2, name: 'last' })], read)
  expect(rows.map(({ taskId, name, path }) => [taskId, name, path])).toEqual([
    [0, 'split', undefined],
    [1, 'in-a', undefined],
    [0, 'in-a/x', '1/0'],
    [1, 'in-a/in-b', '1/1'],
    [0, 'in-a/in-b/y', '1/1/0'],
    [2, 'last', undefined],
  ])
  expect(notes).toEqual([])
})

it('asks nothing where there is nothing inside', async () => {
  const { read, reads } = aReader({})
  expect((await foldChildren([aTask({ executor: 'sublattice' })], read)).rows).toHaveLength(1)
  expect(reads).toEqual([])
})

it('reads twenty dispatches at most, those that run first, and says what it left out', async () => {
  const { read, reads } = aReader({ running: [] })
  const ended = { state: 'succeeded', endedAt: '2026-03-01T12:00:01.000Z' } as const
  const tasks = Array.from({ length: 30 }, (_, id) => (id === 29 ? inner(id, 'running') : inner(id, `c${id}`, ended)))
  const { rows, notes } = await foldChildren(tasks, read)
  expect(reads).toHaveLength(20)
  expect(reads).toContain('running')
  expect(rows).toHaveLength(30)
  expect(notes).toEqual(['the tasks of 10 more dispatches inside'])
})

it('shows a hundred tasks of a dispatch inside, and where to find the others', async () => {
  const { read } = aReader({ a: Array.from({ length: 250 }, (_, taskId) => aTask({ taskId })) })
  const { rows, notes } = await foldChildren([inner(0, 'a')], read)
  expect(rows).toHaveLength(101)
  expect(notes).toEqual(['150 more tasks of in-a: quench show a'])
})
