import { describe, expect, it } from 'vitest'
import type { Paint } from '../../../lib/cli/render/paint.ts'
import { changedTasks, renderChange, renderEnd, renderFrame } from '../../../lib/cli/render/watch.ts'
import type { TaskState } from '../../../lib/schema/api.ts'
import { aDispatch, aTask, dispatchId } from '../../http/recording-api.ts'

const plain: Paint = (_style, text) => text
const now = Date.parse('2026-03-01T12:00:12.000Z')
const screen = { paint: plain, now, columns: 100, rows: 24 }

/** `count` tasks, pending but for those in `states`. */
function tasksOf(count: number, states: Readonly<Record<number, TaskState>> = {}) {
  return Array.from({ length: count }, (_, taskId) =>
    aTask({ taskId, name: `task-${taskId}`, state: states[taskId] ?? 'pending' }),
  )
}

describe('a frame of watch', () => {
  it('shows title, progress and every task that fits', () => {
    const tasks = [
      aTask({
        state: 'succeeded',
        attempt: 1,
        startedAt: '2026-03-01T12:00:01.000Z',
        endedAt: '2026-03-01T12:00:03.400Z',
      }),
      aTask({
        taskId: 1,
        name: 'reduce',
        executor: 'ssh',
        state: 'running',
        attempt: 2,
        startedAt: '2026-03-01T12:00:02Z',
      }),
    ]
    expect(renderFrame({ dispatch: aDispatch(), tasks }, screen)).toEqual([
      `pi  ${dispatchId}  running  12s`,
      '████████████░░░░░░░░░░░░ 1/2 settled  1 succeeded, 1 pending',
      '',
      'ID  TASK    STATE      BACK END  ATTEMPT  DURATION',
      '0   split   succeeded  batch     1        2.4s',
      '1   reduce  running    ssh       2        10s',
    ])
  })

  it('shows what needs attention first when the tasks do not fit, in id order', () => {
    const tasks = tasksOf(1000, { 5: 'succeeded', 500: 'running', 600: 'failed', 999: 'cancelling' })
    const frame = renderFrame({ dispatch: aDispatch({ taskCount: 1000 }), tasks }, { ...screen, rows: 9 })
    expect(frame.slice(4).map((line) => line.split(/ +/)[0])).toEqual(['500', '600', '999', '…'])
    expect(frame.at(-1)).toBe('… and 996 more pending, 1 more succeeded')
    expect(frame.length).toBeLessThan(9)
  })

  it('shows those that ended last among the finished', () => {
    const tasks = [1, 2, 3, 4].map((second, taskId) =>
      aTask({ taskId, state: 'succeeded', endedAt: `2026-03-01T12:00:0${second}.000Z` }),
    )
    const frame = renderFrame({ dispatch: aDispatch(), tasks }, { ...screen, rows: 8 })
    expect(frame.slice(4, -1).map((line) => line[0])).toEqual(['2', '3'])
  })

  it('cuts a long name to the width of the terminal', () => {
    const frame = renderFrame(
      { dispatch: aDispatch(), tasks: [aTask({ name: 'n'.repeat(128) })] },
      { ...screen, columns: 60 },
    )
    expect(Math.max(...frame.slice(3).map((line) => line.length))).toBeLessThanOrEqual(60)
    expect(frame[4]).toContain('n…  pending')
  })
})

describe('changes', () => {
  it('are tasks whose state or attempt is another', () => {
    const before = tasksOf(4, { 0: 'running', 1: 'running', 2: 'running' })
    const after = before.map((task) => {
      if (task.taskId === 0) return { ...task, state: 'succeeded' as const }
      return task.taskId === 1 ? { ...task, attempt: 2 } : task
    })
    expect(changedTasks(before, after).map(({ taskId }) => taskId)).toEqual([0, 1])
  })

  it('begin with every task that is not pending', () => {
    expect(changedTasks([], tasksOf(3, { 1: 'queued' })).map(({ taskId }) => taskId)).toEqual([1])
  })

  it('are told in a line each, with the reason of a failure on one line', () => {
    const failure = { code: 'JobFailed', message: 'exit code 3\n\x1b[31mboom', source: 'batch' }
    const task = aTask({
      state: 'failed',
      attempt: 2,
      startedAt: '2026-03-01T12:00:00Z',
      endedAt: '2026-03-01T12:00:08Z',
      failure,
    })
    expect(renderChange(task, screen)).toBe(
      '2026-03-01T12:00:12.000Z  split  failed  (batch, attempt 2, 8.0s, exit code 3 boom)',
    )
  })
})

describe('the end', () => {
  it('says how it ended and what failed', () => {
    const dispatch = aDispatch({ state: 'failed', endedAt: '2026-03-01T12:03:04.000Z', tasks: { failed: 12 } })
    const tasks = tasksOf(12).map((task) => ({ ...task, state: 'failed' as const, exitCode: 3 }))
    const lines = renderEnd({ dispatch, tasks }, screen)
    expect(lines[0]).toBe('pi failed after 3m 04s: 12 failed')
    expect(lines[1]).toBe('  task-0: exit code 3')
    expect(lines.at(-1)).toBe('  … and 2 more failed tasks')
  })
})
