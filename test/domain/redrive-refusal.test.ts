import { expect, test } from 'vitest'
import { jobName, parseJobName } from '../../lib/domain/job-name.ts'
import { redriveRefusal } from '../../lib/domain/redrive-refusal.ts'
import { aDispatch, someId } from '../support/builders.ts'

test('a dispatch may be redriven, also again', () => {
  expect(redriveRefusal(aDispatch())).toBeUndefined()
  expect(redriveRefusal(aDispatch({ redrives: 97 }))).toBeUndefined()
})

test('the job of a sublattice is redriven by its task, which the refusal names', () => {
  const parent = { dispatchId: 'the-parent', taskId: 3, attempt: 1, depth: 1 }
  expect(redriveRefusal(aDispatch({ parent }))).toContain('redrive task 3 of dispatch the-parent')
})

test('after 98 redrives of ten attempts each, the names of jobs are used up', () => {
  expect(redriveRefusal(aDispatch({ redrives: 98 }))).toContain('dispatch its graph again')
  const last = { dispatchId: someId, taskId: 0, attempt: 99 * 10 }
  expect(parseJobName(jobName(last))).toEqual(last)
})
