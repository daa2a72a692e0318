import { expect, test } from 'vitest'
import { planCancel } from '../../../lib/domain/cancel/plan-cancel.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { aDispatch, aFence, aGraph, aRun, aScope, someTime } from '../../support/builders.ts'

const policy = { ...defaultPolicy, chunks: { batch: { submit: 25, poll: 100, cancel: 2 } } }

test('what runs in scope is stopped, in chunks of one executor', () => {
  const graph = aGraph([{}, {}, {}, { executor: 'ssh' }, {}])
  const dispatch = aDispatch({ taskCount: 5, epoch: 3, fences: [aFence({ scope: aScope([0, 1, 2, 3], 5) })] })
  const live = graph.tasks.map(({ id, executor }) => aRun({ id, executor, attempt: 2 }))
  const how = { kind: 'cancel', epoch: 3, mode: 'graceful', reason: 'enough', graceSeconds: 30 }
  expect(planCancel({ dispatch, graph, live }, aScope([0, 1, 2, 3], 5), policy, someTime)).toEqual([
    {
      ...how,
      executor: 'batch',
      tasks: [
        { taskId: 0, attempt: 2 },
        { taskId: 1, attempt: 2 },
      ],
    },
    { ...how, executor: 'batch', tasks: [{ taskId: 2, attempt: 2 }] },
    { ...how, executor: 'ssh', tasks: [{ taskId: 3, attempt: 2 }] },
  ])
})

test('only this cancellation is acted on, not what another one covers', () => {
  const graph = aGraph([{}, {}])
  const fences = [aFence({ id: 'a', scope: aScope([0], 2) }), aFence({ id: 'b', scope: aScope([1], 2) })]
  const snapshot = { dispatch: aDispatch({ taskCount: 2, fences }), graph, live: [aRun(), aRun({ id: 1 })] }
  const [action, ...others] = planCancel(snapshot, aScope([1], 2), policy, someTime)
  expect(action?.tasks).toEqual([{ taskId: 1, attempt: 1 }])
  expect(others).toEqual([])
})

test('a claim without a job is looked for, what has ended or is settled is left alone', () => {
  const states = ['submitting', 'released', 'succeeded', 'failed', 'cancelled', 'lost'] as const
  const graph = aGraph([...states.map(() => ({})), {}, {}])
  const live = [...states.map((state, id) => aRun({ id, state })), aRun({ id: 6 }), aRun({ id: 7, state: 'queued' })]
  const dispatch = aDispatch({ taskCount: 8, outcomes: { 6: 'succeeded' }, fences: [aFence()] })
  const actions = planCancel({ dispatch, graph, live }, 'all', policy, someTime)
  expect(actions.map(({ kind, tasks }) => [kind, ...tasks.map(({ taskId }) => taskId)])).toEqual([
    ['cancel', 7],
    ['recover', 0],
  ])
})
