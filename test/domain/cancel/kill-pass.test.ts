import { describe, expect, test } from 'vitest'
import { fencesOver } from '../../../lib/domain/cancel/cancel-scope.ts'
import { killGroups, modeOf, planKillPass, type StopsOf } from '../../../lib/domain/cancel/kill-pass.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { Fence } from '../../../lib/domain/fence.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import { aDispatch, aFence, aRun, aScope, someTime } from '../../support/builders.ts'

const seconds = (n: number) => someTime + n * 1000

/** The fences over an attempt, as the planner asks for them. */
const fencesOf =
  ({ fences }: Dispatch): StopsOf =>
  (run: TaskRun) =>
    fencesOver(fences, run.id)

/** One running job behind fences, with passes made before. */
function passAt(second: number, fences: readonly Fence[], killPass?: Dispatch['killPass']) {
  const pass = planKillPass(killPass, [aRun()], fencesOf(aDispatch({ fences })), seconds(second))
  return {
    modes: pass.groups.map(({ mode }) => mode),
    nextSecond: pass.nextAt === undefined ? undefined : (pass.nextAt - someTime) / 1000,
  }
}

const patient = aFence({ graceSeconds: 300 })

test('nothing is stopped where no fence covers what runs', () => {
  const dispatch = aDispatch({ taskCount: 2, fences: [aFence({ scope: aScope([1], 2) })] })
  expect(planKillPass(undefined, [aRun()], fencesOf(dispatch), someTime)).toEqual({ groups: [] })
  expect(planKillPass(undefined, [], fencesOf(aDispatch({ fences: [aFence()] })), someTime)).toEqual({ groups: [] })
})

test('the first pass is due at once, where none was made', () => {
  expect(passAt(0, [patient])).toEqual({ modes: ['graceful'], nextSecond: 5 })
})

describe('a pass is repeated', () => {
  test.each([
    [1, 5],
    [2, 10],
    [3, 20],
    [4, 40],
    [5, 60],
    [6, 60],
    [50, 60],
  ])('after pass %i, when %i s have gone by', (count, delay) => {
    const killPass = { at: someTime, count }
    expect(passAt(delay - 1, [patient], killPass)).toEqual({ modes: [], nextSecond: delay })
    expect(passAt(delay, [patient], killPass).modes).toEqual(['graceful'])
  })
})

describe('when a grace is over', () => {
  const fence = aFence({ graceSeconds: 30 })
  const killPass = { at: seconds(15), count: 3 }

  test('the next pass comes at that moment, and not only when the back-off ends', () => {
    expect(passAt(29, [fence], killPass)).toEqual({ modes: [], nextSecond: 30 })
    expect(passAt(30, [fence], killPass).modes).toEqual(['force'])
  })

  test('passes go on with the back-off, for the moment comes once', () => {
    expect(passAt(31, [fence], { at: seconds(30), count: 4 })).toEqual({ modes: [], nextSecond: 70 })
  })

  test('a pass just before it promises the next one for it', () => {
    expect(passAt(28, [fence], { at: seconds(8), count: 3 })).toEqual({ modes: ['graceful'], nextSecond: 30 })
  })
})

test('a fence that asks for force gets it in the first pass, and again with the back-off', () => {
  const fence = aFence({ mode: 'force' })
  expect(passAt(0, [fence])).toEqual({ modes: ['force'], nextSecond: 5 })
  expect(passAt(4, [fence], { at: someTime, count: 1 })).toEqual({ modes: [], nextSecond: 5 })
})

describe('jobs are stopped together by mode and reason', () => {
  const dispatch = aDispatch({
    taskCount: 5,
    fences: [
      aFence({ id: 'soft', scope: aScope([0, 1, 2], 5), reason: 'too slow' }),
      aFence({ id: 'hard', scope: aScope([2, 3], 5), reason: 'too dear', mode: 'force', at: seconds(1) }),
    ],
  })
  const runs = [0, 1, 2, 3, 4].map((id) => aRun({ id }))

  test('each job by the first reason over it, and by force where one of its fences says so', () => {
    const groups = killGroups(runs, fencesOf(dispatch), seconds(2))
    expect(groups.map(({ mode, reason, runs }) => [mode, reason, runs.map(({ id }) => id)])).toEqual([
      ['graceful', 'too slow', [0, 1]],
      ['force', 'too slow', [2]],
      ['force', 'too dear', [3]],
    ])
  })

  test('a second fence whose grace ends earlier sets the next pass', () => {
    const fences = [aFence({ id: 'a', graceSeconds: 300 }), aFence({ id: 'b', graceSeconds: 3 })]
    expect(passAt(0, fences)).toEqual({ modes: ['graceful'], nextSecond: 3 })
  })
})

describe('a job whose time is over', () => {
  const limit = { mode: 'graceful', graceSeconds: 30, reason: 'too long', at: seconds(100), isTimeLimit: true } as const
  const at = (second: number, killPass?: Dispatch['killPass']) =>
    planKillPass(killPass, [aRun()], () => [limit], seconds(second))

  test('is stopped at once, though a pass for something else was made just before', () => {
    expect(at(100, { at: seconds(99), count: 6 }).groups).toMatchObject([{ mode: 'graceful', isTimeLimit: true }])
  })

  test('is asked again soon, however many passes there were for something else', () => {
    expect(at(100, { at: seconds(40), count: 6 })).toMatchObject({ count: 1, nextAt: seconds(105) })
  })

  test('is asked again with the back-off, and killed when its grace is over', () => {
    expect(at(101, { at: seconds(100), count: 1 })).toEqual({ groups: [], nextAt: seconds(105) })
    expect(at(131, { at: seconds(110), count: 3 }).groups).toMatchObject([{ mode: 'force', isTimeLimit: true }])
  })
})

test('without a stop nothing is forced', () => {
  expect(modeOf([], someTime)).toBe('graceful')
})
