import { describe, expect, test } from 'vitest'
import { observeSlurm, type SlurmReport } from '../../../lib/back-ends/slurm/observe.ts'

/** Every state of job_state_codes.html and squeue(1), long and compact, with what Quench makes of it. */
const states = [
  ['PENDING', 'PD', 'queued'],
  ['CONFIGURING', 'CF', 'queued'],
  ['REQUEUED', 'RQ', 'queued'],
  ['REQUEUE_FED', 'RF', 'queued'],
  ['REQUEUE_HOLD', 'RH', 'queued'],
  ['RESV_DEL_HOLD', 'RD', 'queued'],
  ['SPECIAL_EXIT', 'SE', 'queued'],
  ['RUNNING', 'R', 'running'],
  ['COMPLETING', 'CG', 'running'],
  ['RESIZING', 'RS', 'running'],
  ['SIGNALING', 'SI', 'running'],
  ['STAGE_OUT', 'SO', 'running'],
  ['STOPPED', 'ST', 'running'],
  ['SUSPENDED', 'S', 'running'],
  ['REVOKED', 'RV', 'running'],
  ['COMPLETED', 'CD', 'succeeded'],
  ['CANCELLED', 'CA', 'cancelled'],
  ['FAILED', 'F', 'failed'],
  ['TIMEOUT', 'TO', 'failed'],
  ['DEADLINE', 'DL', 'failed'],
  ['OUT_OF_MEMORY', 'OOM', 'failed'],
  ['NODE_FAIL', 'NF', 'failed'],
  ['PREEMPTED', 'PR', 'failed'],
  ['BOOT_FAIL', 'BF', 'failed'],
] as const
const over = ['succeeded', 'cancelled', 'failed']

describe('a state of Slurm', () => {
  test.for(states)('%s, or %s, means %s', ([long, compact, state]) => {
    expect(observeSlurm({ state: long }).state).toBe(state)
    expect(observeSlurm({ state: compact })).toEqual(observeSlurm({ state: long }))
  })

  test.for(states)('%s of a job that Quench has cancelled ends nothing before the job has ended', ([long, , state]) => {
    const expected = over.includes(state) ? 'cancelled' : state
    expect(observeSlurm({ state: long, fate: 'cancelled', exitCode: 0 }).state).toBe(expected)
  })

  test.for(['CANCELLED by 1000', 'CANCELLED+', 'CANCELLED by 0'])('%s is CANCELLED', (state) => {
    expect(observeSlurm({ state })).toMatchObject({ state: 'cancelled', failure: { code: 'CancelledOutside' } })
  })

  test.for(['LAUNCH_FAILED', 'XY', ''])('that the manual does not have yet (%j) is not an end', (state) => {
    expect(observeSlurm({ state, fate: 'ended', exitCode: 0 }).state).toBe('running')
  })

  test.for([
    ['NODE_FAIL', 'NodeFail', true],
    ['PREEMPTED', 'Preempted', true],
    ['BOOT_FAIL', 'BootFail', true],
    ['TIMEOUT', 'TimedOut', false],
    ['DEADLINE', 'Deadline', false],
    ['OUT_OF_MEMORY', 'OutOfMemory', false],
    ['FAILED', 'NonZeroExit', false],
  ] as const)('%s is the failure %s, retryable: %s, whatever the command ended with', ([state, code, retryable]) => {
    for (const report of [{ state }, { state, fate: 'ended' as const, exitCode: 143 }])
      expect(observeSlurm(report).failure).toMatchObject({ code, retryable, source: 'slurm' })
  })
})

test('a job of which Slurm says nothing is to be asked for again, whatever it has left', () => {
  expect(observeSlurm({ state: '?', fate: 'cancelled' })).toMatchObject({
    state: 'unknown',
    failure: { retryable: true },
  })
})

test('a job that waits says why, in the words of Slurm', () => {
  expect(observeSlurm({ state: 'PD', why: 'Resources' })).toEqual({ state: 'queued', reason: 'Resources' })
  expect(observeSlurm({ state: 'PD' })).toEqual({ state: 'queued' })
  expect(observeSlurm({ state: 'R', why: 'Resources' })).toEqual({ state: 'running' })
})

test('a job that failed without a word of its own has that of Slurm', () => {
  expect(observeSlurm({ state: 'F', why: 'launch failed requeued held' }).failure?.message).toMatch(
    /^Slurm says FAILED \(launch failed requeued held\)/,
  )
})

describe('a job that was cancelled', () => {
  const message = (report: SlurmReport) => observeSlurm({ state: 'CA', ...report }).failure?.message
  test('by somebody else says so, and by whom where Slurm knows', () => {
    expect(message({})).toBe('cancelled on the cluster, not by Quench')
    expect(message({ why: 'by ada' })).toBe('cancelled on the cluster by user ada, not by Quench')
    expect(message({ fate: 'ended', exitCode: 143 })).toBe('cancelled on the cluster, not by Quench')
  })
  test('by Quench, or too late, says nothing', () => {
    expect(message({ fate: 'cancelled' })).toBeUndefined()
    expect(message({ fate: 'ended', exitCode: 0 })).toBeUndefined()
  })
})

describe('the word of a job', () => {
  test('stands where Slurm has forgotten it', () => {
    expect(observeSlurm({ fate: 'ended', exitCode: 0, startedAt: 1, endedAt: 2 })).toEqual({
      ...{ state: 'succeeded', exitCode: 0, startedAt: 1, endedAt: 2 },
    })
    expect(observeSlurm({ fate: 'ended', exitCode: 137 })).toMatchObject({
      state: 'failed',
      failure: { code: 'NonZeroExit', message: 'exit code 137 (signal 9)', retryable: false },
    })
    expect(observeSlurm({ fate: 'lost' })).toEqual({ state: 'lost' })
    expect(observeSlurm({})).toEqual({ state: 'lost' })
  })

  test('that it succeeded stands when a scancel came too late', () => {
    expect(observeSlurm({ state: 'CA', fate: 'ended', exitCode: 0 }).state).toBe('succeeded')
    expect(observeSlurm({ state: 'CA', fate: 'ended', exitCode: 143 }).state).toBe('cancelled')
  })

  test('is waited for where a sibling of the federation has the job', () => {
    expect(observeSlurm({ state: 'RV', fate: 'ended', exitCode: 0 }).state).toBe('succeeded')
  })

  test('is not the last one while Slurm has not ended the job', () => {
    expect(observeSlurm({ state: 'CG', fate: 'ended', exitCode: 0, startedAt: 1, endedAt: 2 })).toEqual({
      ...{ state: 'running', startedAt: 1 },
    })
  })
})
