import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { effectiveNeeds } from '../../../lib/domain/graph/effective-needs.ts'
import type { Task } from '../../../lib/domain/graph/graph.ts'
import { countReopened, planRedrive } from '../../../lib/domain/redrive/plan-redrive.ts'
import { outcomeOf } from '../../../lib/domain/settled.ts'
import type { Outcome } from '../../../lib/domain/task-run.ts'
import { aDispatch, aGraph, aRandomGraph } from '../../support/builders.ts'
import { createRandom } from '../../support/random.ts'

function redriveOf(tasks: readonly Partial<Task>[], outcomes: Readonly<Record<number, Outcome>>, targets?: number[]) {
  const plan = planRedrive(aGraph(tasks), aDispatch({ taskCount: tasks.length, outcomes }), targets)
  return { reopened: Object.fromEntries(plan.reopened), problems: plan.problems.map(({ message }) => message) }
}

const chain = [{}, { needs: [0] }, { needs: [1] }]
const fork = [{}, {}, { needs: [0, 1] }, { postProcess: true }]

describe('without names', () => {
  test('everything that did not succeed is reopened, with what it was', () => {
    const outcomes = { 0: 'succeeded', 1: 'failed', 2: 'skipped' } as const
    expect(redriveOf(chain, outcomes)).toEqual({ reopened: { 1: 'failed', 2: 'skipped' }, problems: [] })
  })

  test('what is open stays as it is', () => {
    expect(redriveOf(fork, { 0: 'cancelled' }).reopened).toEqual({ 0: 'cancelled' })
  })

  test('nothing is reopened where everything succeeded', () => {
    expect(redriveOf([{}], { 0: 'succeeded' })).toEqual({ reopened: {}, problems: [] })
  })
})

describe('with names', () => {
  const failed = { 0: 'failed', 1: 'succeeded', 2: 'skipped', 3: 'skipped' } as const

  test('a task brings everything that needs it, post-processing included', () => {
    expect(redriveOf(fork, failed, [0])).toEqual({
      reopened: { 0: 'failed', 2: 'skipped', 3: 'skipped' },
      problems: [],
    })
  })

  test('a task that has succeeded or is open is refused, each by name', () => {
    expect(redriveOf(chain, { 0: 'succeeded' }, [0, 2])).toEqual({
      reopened: {},
      problems: ['task "task-0" (0) has succeeded, and its result is kept', 'task "task-2" (2) has not ended'],
    })
  })

  test('a task whose need would stay failed is refused, with the task to name too', () => {
    expect(redriveOf(fork, failed, [2]).problems).toEqual([
      'task "task-2" (2) needs "task-0" (0), which is failed: name that too',
    ])
  })

  test('so is one that comes along, and a need that is missing twice is named once', () => {
    const outcomes = { 0: 'failed', 1: 'cancelled', 2: 'skipped', 3: 'skipped' } as const
    expect(redriveOf(fork, outcomes, [0]).problems).toEqual([
      'task "task-2" (2) needs "task-1" (1), which is cancelled: name that too',
    ])
    expect(redriveOf(fork, outcomes, [0, 1]).problems).toEqual([])
  })

  test('a need that is still open is waited for', () => {
    expect(redriveOf([{}, {}, { needs: [0, 1] }], { 0: 'failed', 2: 'skipped' }, [0])).toEqual({
      reopened: { 0: 'failed', 2: 'skipped' },
      problems: [],
    })
  })
})

test('what is reopened is counted by what it was', () => {
  const plan = planRedrive(
    aGraph(chain),
    aDispatch({ taskCount: 3, outcomes: { 0: 'cancelled', 1: 'skipped', 2: 'skipped' } }),
    undefined,
  )
  expect(countReopened(plan)).toEqual({ failed: 0, cancelled: 1, skipped: 2 })
})

test('whatever is named, no task is reopened that has succeeded, nor one that could never start, unless it is said', () => {
  const scenario = fc.tuple(fc.noShrink(fc.nat()), fc.integer({ min: 1, max: 30 }))
  fc.assert(
    fc.property(scenario, ([seed, count]) => {
      const random = createRandom(seed)
      const graph = aRandomGraph(random, count)
      const states = ['succeeded', 'failed', 'cancelled', 'skipped', undefined] as const
      const outcomes = Object.fromEntries(
        graph.tasks.flatMap(({ id }) => {
          const outcome = random.pick(states)
          return outcome ? [[id, outcome]] : []
        }),
      )
      const dispatch = aDispatch({ taskCount: count, outcomes })
      const targets = random.chance(0.3) ? undefined : [random.below(count), random.below(count)]
      const { reopened, problems } = planRedrive(graph, dispatch, targets)
      for (const [id, outcome] of reopened) expect(outcomeOf(dispatch, id)).toBe(outcome)
      expect([...reopened.values()]).not.toContain('succeeded')
      if (problems.length > 0) return
      for (const id of reopened.keys())
        for (const need of effectiveNeeds(graph)[id] ?? [])
          expect(reopened.has(need) || [undefined, 'succeeded'].includes(outcomeOf(dispatch, need))).toBe(true)
    }),
  )
})
