import { expect, test } from 'vitest'
import { changeOf } from '../../../lib/app/act/note-observation.ts'
import { observeQuantumTask } from '../../../lib/back-ends/braket/observe.ts'
import { spentOn } from '../../../lib/domain/budget/spend.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import { aGraph, aRun, someTime } from '../../support/builders.ts'

const graph = aGraph([{ executor: 'braket' }])
const priceOf = () => ({ perSecondUsd: 0, minimumSeconds: 0, commitUsd: 8.3 })

/** What a quantum task has cost when it was seen in these states. */
function cost(...statuses: readonly string[]): number {
  let run: TaskRun = aRun({ executor: 'braket', state: 'queued', handle: { arn: 'arn:task' } })
  for (const [second, status] of statuses.entries()) {
    const change = changeOf(run, observeQuantumTask({ status }), someTime + second * 1000)
    run = { ...run, ...change } as TaskRun
  }
  return spentOn(run, graph, priceOf, someTime).braket?.usd ?? 0
}

test.each([
  ['in its queue', ['QUEUED', 'CANCELLING', 'CANCELLED'], 0],
  ['in its queue, and seen only as it was stopped', ['CANCELLING', 'CANCELLED'], 0],
  ['while it ran', ['QUEUED', 'RUNNING', 'CANCELLING', 'CANCELLED'], 8.3],
])('a quantum task that was cancelled %s costs what it is owed', (_, statuses, usd) => {
  expect(cost(...statuses)).toBe(usd)
})
