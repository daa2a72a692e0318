import { expect, test } from 'vitest'
import { jobName, parseJobName } from '../../../lib/domain/job-name.ts'
import { redriveRefusal } from '../../../lib/domain/redrive/redrive-refusal.ts'
import { aDispatch, someId, someTime } from '../../support/builders.ts'

test('a dispatch may be redriven, also again', () => {
  expect(redriveRefusal(aDispatch(), someTime)).toBeUndefined()
  expect(redriveRefusal(aDispatch({ redrives: 97 }), someTime)).toBeUndefined()
})

test('the job of a sublattice is redriven by its task, which the refusal names', () => {
  const parent = { dispatchId: 'the-parent', taskId: 3, attempt: 1, depth: 1 }
  expect(redriveRefusal(aDispatch({ parent }), someTime)).toContain('redrive task 3 of dispatch the-parent')
})

test('after 98 redrives of ten attempts each, the names of jobs are used up', () => {
  expect(redriveRefusal(aDispatch({ redrives: 98 }), someTime)).toContain('dispatch its graph again')
  const last = { dispatchId: someId, taskId: 0, attempt: 99 * 10 }
  expect(parseJobName(jobName(last))).toEqual(last)
})

test('a dispatch whose graph may be gone before a redrive has ended is not redriven', () => {
  const days = (count: number) => someTime + count * 86_400_000
  expect(redriveRefusal(aDispatch({ createdAt: someTime }), days(300))).toBeUndefined()
  expect(redriveRefusal(aDispatch({ createdAt: someTime }), days(301))).toContain('more than 300 days ago')
})

test('what has used up its budget must have it raised first', () => {
  const spent = { batch: { usd: 3, unknownJobs: 0 }, ssh: { usd: 2, unknownJobs: 1 } }
  expect(redriveRefusal(aDispatch({ spent, budget: { limitUsd: 5 } }), someTime)).toMatch(
    /used up, about \$5.00 of \$5.00: raise it first/,
  )
  expect(redriveRefusal(aDispatch({ spent, budget: { limitUsd: 5.01 } }), someTime)).toBeUndefined()
  expect(redriveRefusal(aDispatch({ spent }), someTime)).toBeUndefined()
})
