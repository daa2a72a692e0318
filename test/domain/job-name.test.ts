import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jobName, parseJobName } from '../../lib/domain/job-name.ts'
import { someId } from '../support/builders.ts'

test('every attempt of every task is found again behind its name, which is at most 58 characters long', () => {
  const refs = fc.record({
    dispatchId: fc.uuid(),
    taskId: fc.nat(9_999),
    attempt: fc.integer({ min: 1, max: 999 }),
  })
  fc.assert(
    fc.property(refs, (ref) => {
      expect(parseJobName(jobName(ref))).toEqual(ref)
      expect(jobName(ref)).toMatch(/^[a-z0-9-]{1,58}$/)
    }),
  )
})

test.each([
  '',
  'nightly-build',
  `quench-${someId}-1`,
  `quench-${someId}-1-1-1`,
  `quench-${someId}--1`,
  `quench-${someId.toUpperCase()}-1-1`,
  `quench-${someId.slice(1)}-1-1`,
  ` quench-${someId}-1-1`,
  `quench-${someId}-1-1\n`,
])('%j is no job of ours', (name) => {
  expect(parseJobName(name)).toBeUndefined()
})
