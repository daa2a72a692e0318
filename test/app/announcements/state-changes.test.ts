import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changeOfRun, changesOfDispatch } from '../../../lib/app/announcements/state-changes.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import { outcomeOf, settle } from '../../../lib/domain/settled.ts'
import type { Outcome, RunState } from '../../../lib/domain/task-run.ts'
import { aDispatch, aFence, aGraph, aRun, aScope, someTime } from '../../support/builders.ts'

function changes(before: Dispatch | undefined, after: Dispatch) {
  const { isNewState, outcomes, cancellations } = changesOfDispatch(before, after)
  const states = cancellations.map(({ fence, state }) => `${fence.id} ${state}`)
  return { isNewState, outcomes: Object.fromEntries(outcomes), cancellations: states }
}
const nothing = { isNewState: false, outcomes: {}, cancellations: [] }

describe('a write of META', () => {
  test('that makes a dispatch is its beginning', () => {
    expect(changes(undefined, aDispatch())).toEqual({ ...nothing, isNewState: true })
  })

  test('that changes nothing for people tells nothing', () => {
    const before = aDispatch({ outcomes: { 0: 'failed' }, taskCount: 2, fences: [aFence()] })
    expect(changes(before, { ...before, polledAt: 5, version: 2 })).toEqual(nothing)
  })

  test('tells only what it has settled itself', () => {
    const before = aDispatch({ taskCount: 5, outcomes: { 0: 'succeeded' } })
    const after = aDispatch({ taskCount: 5, outcomes: { 0: 'succeeded', 1: 'failed', 2: 'skipped', 3: 'cancelled' } })
    expect(changes(before, after)).toEqual({ ...nothing, outcomes: { 1: 'failed', 2: 'skipped', 3: 'cancelled' } })
  })

  test('that ends a dispatch is its end', () => {
    const after = aDispatch({ status: 'succeeded', outcomes: { 0: 'succeeded' } })
    expect(changes(aDispatch(), after)).toEqual({ ...nothing, isNewState: true, outcomes: { 0: 'succeeded' } })
  })

  test('that fences a part is a cancellation, and the dispatch runs on', () => {
    const part = aFence({ id: 'part', scope: aScope([0], 2) })
    const after = aDispatch({ taskCount: 2, fences: [part] })
    expect(changes(aDispatch({ taskCount: 2 }), after)).toEqual({ ...nothing, cancellations: ['part stopping'] })
  })

  test('that fences everything makes the dispatch cancelling', () => {
    const fenced = aDispatch({ fences: [aFence()] })
    expect(changes(aDispatch(), fenced)).toEqual({
      ...nothing,
      isNewState: true,
      cancellations: ['fence-1 stopping'],
    })
  })

  test('confirms a cancellation when the last task in its scope is settled, whatever else runs', () => {
    const part = aFence({ id: 'part', scope: aScope([0, 1], 3) })
    const open = aDispatch({ taskCount: 3, outcomes: { 0: 'cancelled' }, fences: [part] })
    const done = aDispatch({ taskCount: 3, outcomes: { 0: 'cancelled', 1: 'succeeded' }, fences: [part] })
    expect(changes(open, done)).toEqual({ ...nothing, outcomes: { 1: 'succeeded' }, cancellations: ['part confirmed'] })
    expect(changes(done, { ...done, version: 9 })).toEqual(nothing)
  })

  test('tells that a cancellation is unconfirmed when that is noted, and not again', () => {
    const before = aDispatch({ fences: [aFence()] })
    const late = aDispatch({ fences: [aFence({ unconfirmedAt: someTime })] })
    expect(changes(before, late)).toEqual({ ...nothing, cancellations: ['fence-1 unconfirmed'] })
    expect(changes(late, { ...late, version: 9 })).toEqual(nothing)
  })

  test('of a fence that came when all in its scope had ended is confirmed at once', () => {
    const before = aDispatch({ taskCount: 2, outcomes: { 0: 'succeeded' } })
    const after = { ...before, fences: { part: aFence({ id: 'part', scope: aScope([0], 2) }) } }
    expect(changes(before, after)).toEqual({ ...nothing, cancellations: ['part confirmed'] })
  })

  test('that is the tombstone of a child which was never born tells nothing', () => {
    expect(changes(undefined, aDispatch({ taskCount: 0, status: 'cancelled' }))).toEqual(nothing)
  })
})

test('however tasks are settled, each is told once, as what it is', () => {
  const outcome = fc.constantFrom<Outcome>('succeeded', 'failed', 'cancelled', 'skipped')
  const turns = fc.array(fc.dictionary(fc.nat(11).map(String), outcome), { maxLength: 6 })
  fc.assert(
    fc.property(turns, (writes) => {
      let dispatch = aDispatch({ taskCount: 12 })
      const told: (readonly [number, Outcome])[] = []
      for (const write of writes) {
        const outcomes = new Map(Object.entries(write).map(([id, one]) => [Number(id), one]))
        const after = { ...dispatch, ...settle(dispatch, outcomes, 12) }
        told.push(...changesOfDispatch(dispatch, after).outcomes)
        dispatch = after
      }
      const settled = Array.from({ length: 12 }, (_, id) => [id, outcomeOf(dispatch, id)] as const)
      expect(told.sort(([a], [b]) => a - b)).toEqual(settled.filter(([, one]) => one !== undefined))
    }),
  )
})

describe("a write of a task's item", () => {
  const [task] = aGraph([{ retry: { attempts: 2 } }]).tasks
  const tell = (from: RunState | undefined, after: Parameters<typeof aRun>[0]) =>
    changeOfRun(from && aRun({ state: from }), aRun(after), task as NonNullable<typeof task>)

  test.each(['submitting', 'queued', 'running'] as const)('tells that it is %s', (state) => {
    expect(tell(undefined, { state })).toEqual({ state })
  })

  test('tells the same state again only of another attempt', () => {
    expect(tell('submitting', { state: 'submitting' })).toBeUndefined()
    expect(tell('submitting', { state: 'submitting', attempt: 2 })).toEqual({ state: 'submitting' })
  })

  test('leaves the end to META, unless another attempt may follow', () => {
    expect(tell('running', { state: 'succeeded' })).toBeUndefined()
    expect(tell('running', { state: 'cancelled' })).toBeUndefined()
    expect(tell('running', { state: 'failed', attempt: 2 })).toBeUndefined()
    const endedAt = someTime + 500
    expect(tell('running', { state: 'failed', endedAt })).toEqual({ state: 'pending', retryAt: endedAt + 2000 })
    expect(tell('running', { state: 'lost', endedAt })).toEqual({ state: 'pending', retryAt: endedAt + 2000 })
  })

  test('tells that a claim was given back, unless the task was given up with it', () => {
    expect(tell('submitting', { state: 'released' })).toEqual({ state: 'pending' })
    expect(tell('submitting', { state: 'released', live: false })).toBeUndefined()
  })
})
