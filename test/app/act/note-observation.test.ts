import { describe, expect, test } from 'vitest'
import { changeOf, lineOf } from '../../../lib/app/act/note-observation.ts'
import type { Observation } from '../../../lib/back-ends/executor.ts'
import type { TaskRun } from '../../../lib/domain/task-run.ts'
import type { RunChange } from '../../../lib/store/store.ts'
import { aRun, someTime } from '../../support/builders.ts'

const failure = { code: 'ExitCode', message: 'exit 3', retryable: false, source: 'batch' }
const missing = { missingSince: 5 }

test.each<[string, Partial<TaskRun>, Observation, RunChange | undefined]>([
  ['an unknown state says nothing', {}, { state: 'unknown', failure }, undefined],
  ['a job that is not known is noted from now on', {}, { state: 'lost' }, { missingSince: 99 }],
  ['and only once', missing, { state: 'lost' }, undefined],
  ['a job that waits says nothing new', { state: 'queued' }, { state: 'queued' }, undefined],
  [
    'a job that was missing and waits is found',
    { state: 'queued', ...missing },
    { state: 'queued' },
    { missingSince: null },
  ],
  [
    'why a job waits is noted',
    { state: 'queued' },
    { state: 'queued', reason: 'Resources' },
    { waitReason: 'Resources' },
  ],
  ['and not again', { state: 'queued', waitReason: 'Resources' }, { state: 'queued', reason: 'Resources' }, undefined],
  [
    'and forgotten when it waits no more',
    { state: 'queued', waitReason: 'Resources' },
    { state: 'running', startedAt: 7 },
    { state: 'running', startedAt: 7, waitReason: null },
  ],
  [
    'but not by a back end that could not be asked',
    { state: 'queued', waitReason: 'Resources' },
    { state: 'unknown' },
    undefined,
  ],
  ['a job starts', { state: 'queued' }, { state: 'running', startedAt: 7 }, { state: 'running', startedAt: 7 }],
  ['a start without a time is now', { state: 'queued' }, { state: 'running' }, { state: 'running', startedAt: 99 }],
  ['a job that runs on says nothing new', {}, { state: 'running', startedAt: 7 }, undefined],
  ['a job that was missing and runs is found', missing, { state: 'running' }, { missingSince: null }],
  [
    'an end brings all its details',
    {},
    { state: 'failed', startedAt: 7, endedAt: 8, exitCode: 3, failure },
    { state: 'failed', startedAt: 7, endedAt: 8, exitCode: 3, failure },
  ],
  [
    'an end without a time is now',
    missing,
    { state: 'succeeded' },
    { state: 'succeeded', endedAt: 99, missingSince: null },
  ],
  [
    'what a child spends is told when it is new',
    { childSpend: { batch: { usd: 1, unknownJobs: 0 } } },
    { state: 'running', spent: { batch: { usd: 2, unknownJobs: 0 } } },
    { childSpend: { batch: { usd: 2, unknownJobs: 0 } } },
  ],
  [
    'and not again',
    { childSpend: { batch: { usd: 2, unknownJobs: 0 } } },
    { state: 'running', spent: { batch: { usd: 2, unknownJobs: 0 } } },
    undefined,
  ],
  [
    'but always with its end, for a poll that saw less may have written meanwhile',
    { childSpend: { batch: { usd: 2, unknownJobs: 0 } } },
    { state: 'succeeded', endedAt: 8, spent: { batch: { usd: 2, unknownJobs: 0 } } },
    { state: 'succeeded', endedAt: 8, childSpend: { batch: { usd: 2, unknownJobs: 0 } } },
  ],
  ['a cancelled job is an end', {}, { state: 'cancelled', endedAt: 8 }, { state: 'cancelled', endedAt: 8 }],
])('%s', (_, run, seen, change) => {
  expect(changeOf(aRun(run), seen, 99)).toEqual(change)
})

test.each<[RunChange, string | undefined]>([
  [{ state: 'running', startedAt: 1 }, 'sum running'],
  [{ state: 'failed', failure }, 'sum: exit 3'],
  [{ missingSince: 5 }, 'sum: its back end does not know the job'],
  [{ missingSince: null }, undefined],
])('the history says of %j: %s', (change, line) => {
  expect(lineOf('sum', change)).toBe(line)
})

describe('a host that is away', () => {
  const away = {
    state: 'unknown',
    failure: { code: 'HostAway', message: 'i-1 is stopped', retryable: true, source: 'ssh' },
  } as const
  const noted = { since: someTime, message: 'i-1 is stopped' }

  test('is noted once, from when it was first seen to be', () => {
    expect(changeOf(aRun(), away, someTime)).toEqual({ away: noted })
    expect(changeOf(aRun({ away: noted }), away, someTime + 5000)).toBeUndefined()
    const woken = { ...away, failure: { ...away.failure, message: 'i-1 is pending' } }
    expect(changeOf(aRun({ away: noted }), woken, someTime + 5000)).toEqual({
      away: { since: someTime, message: 'i-1 is pending' },
    })
  })

  test.each(['queued', 'running', 'lost', 'succeeded'] as const)('is no more when it says %s', (state) => {
    expect(changeOf(aRun({ away: noted }), { state }, someTime)).toMatchObject({ away: null })
  })

  test('is nothing that another reason for knowing nothing tells', () => {
    const throttled = { ...away, failure: { ...away.failure, code: 'BackendUnavailable' } }
    expect(changeOf(aRun(), throttled, someTime)).toBeUndefined()
  })
})
