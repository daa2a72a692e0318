import { expect, test } from 'vitest'
import { cancelAnswer } from '../../../lib/app/cancel/cancel-answer.ts'
import { createBatchExecutor } from '../../../lib/back-ends/batch/executor.ts'
import { createBraketTaskExecutor } from '../../../lib/back-ends/braket/executor.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import { defaultPolicy } from '../../../lib/domain/turn/policy.ts'
import { aDispatch, aFence, aGraph, aRun, aScope, someId, someTime } from '../../support/builders.ts'

const graph = aGraph([{}, { executor: 'ssh' }, { needs: [0] }, {}, {}])
const live = [aRun({ id: 0 }), aRun({ id: 1, executor: 'ssh' }), aRun({ id: 4, state: 'queued' })]
const never = () => Promise.reject(new Error('nobody is to be called'))
const context = { now: () => someTime, policy: defaultPolicy, executors: new Map() }

test('a cancel of the whole dispatch counts every task by what was found of it', () => {
  const dispatch = aDispatch({ taskCount: 5, outcomes: { 3: 'succeeded' }, fences: [aFence()] })
  const request = { scope: 'all' as const, targets: undefined, dryRun: false }
  expect(cancelAnswer({ dispatch, graph, live }, request, context)).toEqual({
    dispatchId: someId,
    dryRun: false,
    scope: 'dispatch',
    counts: { stopping: 3, abandoned: 1, finished: 1, backends: { batch: 2, ssh: 1 } },
    targets: [],
  })
})

test('a cancel of a part counts what is in its scope, and names what it found of each task that was named', () => {
  const scope = aScope([0, 2], 5)
  const dispatch = aDispatch({ taskCount: 5, outcomes: { 3: 'succeeded' }, fences: [aFence({ scope })] })
  const request = { scope, targets: [0, 3], dryRun: false }
  expect(cancelAnswer({ dispatch, graph, live }, request, context)).toMatchObject({
    scope: 'tasks',
    counts: { stopping: 1, abandoned: 1, finished: 1, backends: { batch: 1 } },
    targets: [
      { taskId: 0, name: 'task-0', found: 'stopping', state: 'cancelling' },
      { taskId: 3, name: 'task-3', found: 'finished', state: 'succeeded' },
    ],
  })
})

test('a quota that makes the cancel take long is told, by back end', () => {
  const tasks = [...Array.from({ length: 30 }, () => ({ executor: 'braket' })), { executor: 'batch' }]
  const runs = tasks.map(({ executor }, id) => aRun({ id, executor }))
  const dispatch = aDispatch({ taskCount: tasks.length, fences: [aFence()] })
  const client = { send: never }
  const output = { bucket: 'b', keyPrefix: 'p' }
  const executors = new Map<string, Executor>([
    ['braket', createBraketTaskExecutor({ braketIn: () => client, output, readText: never })],
    ['batch', createBatchExecutor({ batch: client, submitter: client })],
  ])
  const request = { scope: 'all' as const, targets: undefined, dryRun: false }
  const { counts } = cancelAnswer({ dispatch, graph: aGraph(tasks), live: runs }, request, { ...context, executors })
  // 20 at once, then 2 a second.
  expect(counts).toMatchObject({ stopping: 31, etaSeconds: { braket: 5 } })
})

test('a preview counts the same, and shows the tasks as they are', () => {
  const dispatch = aDispatch({ taskCount: 5, outcomes: { 3: 'succeeded' } })
  const request = { scope: aScope([0, 2], 5), targets: [0, 2], dryRun: true }
  expect(cancelAnswer({ dispatch, graph, live }, request, context)).toMatchObject({
    dryRun: true,
    counts: { stopping: 1, abandoned: 1, finished: 0 },
    targets: [
      { taskId: 0, found: 'stopping', state: 'running' },
      { taskId: 2, found: 'abandoned', state: 'pending' },
    ],
  })
})
