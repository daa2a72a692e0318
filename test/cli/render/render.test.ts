import { describe, expect, it } from 'vitest'
import {
  renderConfirmations,
  renderCounts,
  renderDelays,
  renderNothingToCancel,
  renderScope,
  renderVerdict,
} from '../../../lib/cli/render/cancellation.ts'
import { renderDispatch, renderDispatches } from '../../../lib/cli/render/dispatches.ts'
import { renderDuration } from '../../../lib/cli/render/duration.ts'
import { renderEvent } from '../../../lib/cli/render/event.ts'
import type { Paint } from '../../../lib/cli/render/paint.ts'
import { renderTasks } from '../../../lib/cli/render/tasks.ts'
import {
  aCancelAnswer,
  aCancellation,
  aDispatch,
  anEvent,
  aTask,
  cancellationId,
  dispatchId,
} from '../../http/recording-api.ts'

const plain: Paint = (_style, text) => text
const tagged: Paint = (style, text) => `<${style}>${text}`
const options = { paint: plain, now: Date.parse('2026-03-01T12:00:12.000Z') }

describe('durations', () => {
  it.each([
    [-5, '0.0s'],
    [400, '0.4s'],
    [9_949, '9.9s'],
    [9_960, '10s'],
    [59_600, '1m 00s'],
    [184_000, '3m 04s'],
    [7_500_000, '2h 05m'],
    [273_600_000, '3d 04h'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(renderDuration(milliseconds)).toBe(text)
  })
})

describe('dispatches', () => {
  it('are listed in a table', () => {
    const ended = aDispatch({ name: 'h2\n', state: 'succeeded', settledCount: 2, endedAt: '2026-03-01T12:05:00.000Z' })
    expect(renderDispatches([aDispatch(), ended], options)).toEqual([
      `ID${' '.repeat(36)}NAME  STATE      SETTLED  CREATED               DURATION`,
      `${dispatchId}  pi    running    1/2      2026-03-01T12:00:00Z  12s`,
      `${dispatchId}  h2    succeeded  2/2      2026-03-01T12:00:00Z  5m 00s`,
    ])
  })

  it('are shown with their cancellations', () => {
    const cancellation = {
      cancellationId,
      at: '2026-03-01T12:00:02.123Z',
      scope: 'tasks',
      actor: 'ada',
      source: 'api',
      reason: 'too\x1b[2J dear',
    } as const
    expect(renderDispatch(aDispatch({ cancellations: [cancellation] }), options)).toEqual([
      `pi  ${dispatchId}  running`,
      '  owner     ada',
      '  tags      project=h2',
      '  created   2026-03-01T12:00:00Z',
      '  duration  12s',
      '  settled   1 of 2 (1 succeeded, 1 pending)',
      '',
      'Cancellations',
      `  2026-03-01T12:00:02Z  tasks, by ada (api): too dear  ${cancellationId}`,
    ])
  })

  it('have tasks that say why they failed', () => {
    const failure = { code: 'JobFailed', message: 'host is gone', source: 'ssh' }
    const tasks = [aTask({ state: 'failed', attempt: 1, failure }), aTask({ taskId: 1 })]
    expect(renderTasks(tasks, options)).toEqual([
      'ID  TASK   STATE    BACK END  ATTEMPT  DURATION  NOTE',
      '0   split  failed   batch     1                  host is gone',
      '1   split  pending  batch',
    ])
  })

  it('have tasks that say why they wait', () => {
    const waiting = aTask({ state: 'queued', waitReason: 'JobHeldUser' })
    expect(renderTasks([waiting], options).join('\n')).toContain('waiting: JobHeldUser')
  })

  it('have the tasks of dispatches inside under their own', () => {
    const tasks = [
      aTask({ taskId: 1, name: 'inner', executor: 'sublattice', state: 'running', attempt: 1, childId: 'c1' }),
      { ...aTask({ name: 'inner/work', state: 'running', attempt: 1 }), path: '1/0' },
    ]
    expect(renderTasks(tasks, options)).toEqual([
      'ID   TASK          STATE    BACK END    ATTEMPT  DURATION  NOTE',
      '1    inner         running  sublattice  1                  dispatch c1',
      '1/0    inner/work  running  batch       1',
    ])
  })

  it('say how often they were redriven, and when last', () => {
    const drivenAt = '2026-03-02T08:00:00.000Z'
    const lines = (redrives: number) => renderDispatch(aDispatch({ redrives, drivenAt }), options)
    expect(lines(1)).toContain('  redriven  once, last 2026-03-02T08:00:00Z')
    expect(lines(2)).toContain('  redriven  2 times, last 2026-03-02T08:00:00Z')
  })

  it('say whose job they are', () => {
    const parent = { dispatchId: 'd1', taskId: 3 }
    expect(renderDispatch(aDispatch({ parent }), options)).toContain('  parent    task 3 of dispatch d1')
  })

  it('have a colour for each state', () => {
    expect(renderTasks([aTask({ state: 'failed' })], { ...options, paint: tagged })[1]).toContain('<red>failed')
  })
})

describe('cancellations', () => {
  it('say what they stop, by back end', () => {
    expect(renderCounts(aCancelAnswer())).toBe(
      'stopping 9 jobs (batch 8, ssh 1), abandoning 3 tasks; 1 finished already',
    )
  })

  it('say what they are about', () => {
    const target = { taskId: 3, name: 'sample', found: 'finished', state: 'succeeded' } as const
    const one = aCancelAnswer({ scope: 'tasks', targets: [target] })
    const two = aCancelAnswer({ scope: 'tasks', targets: [target, { ...target, taskId: 4 }] })
    expect(renderScope(aCancelAnswer())).toBe(`dispatch ${dispatchId}`)
    expect(renderScope(one)).toBe(`task sample of dispatch ${dispatchId}, with all that needs it`)
    expect(renderScope(two)).toBe(`2 tasks of dispatch ${dispatchId}, with all that needs them`)
    expect(renderNothingToCancel(one)).toContain('finished already: sample (succeeded)')
    expect(renderNothingToCancel(aCancelAnswer())).toContain('had finished already')
  })

  it('report a line a back end', () => {
    const none = { cancelled: 0, succeeded: 0, failed: 0 }
    const backends = {
      batch: { requested: 8, confirmed: 8, unconfirmed: 0, ...none },
      ssh: { requested: 2, confirmed: 1, unconfirmed: 1, ...none },
    }
    expect(renderConfirmations(aCancellation({ backends }), tagged)).toEqual([
      'batch  requested 8  confirmed 8  unconfirmed 0',
      '<red>ssh    requested 2  confirmed 1  unconfirmed 1',
      '3 tasks abandoned',
    ])
  })

  it.each([
    ['confirmed', 'Every job is confirmed'],
    ['unconfirmed', 'not confirmed'],
    ['not-applied', 'not applied'],
    ['stopping', 'stopping'],
  ] as const)('have a last word when %s', (state, words) => {
    expect(renderVerdict(aCancellation({ state }), plain)).toContain(words)
  })
})

it('events are lines with their instant', () => {
  expect(renderEvent(anEvent({ lines: ['a', 'b\r\n'] }), plain)).toEqual([
    '2026-03-01T12:00:01.000Z  a',
    '2026-03-01T12:00:01.000Z  b ',
  ])
})

describe('what could not be done in time', () => {
  it('is told with the answer, and nothing where all was', () => {
    expect(renderDelays(aCancelAnswer())).toEqual([])
    expect(renderDelays(aCancelAnswer({ unasked: { ssh: 2 }, isLoopLate: true }))).toEqual([
      'not asked to stop yet, since their back end has not answered (ssh 2); it is asked again',
      'the loop that goes on with this could not be started yet; it will be, within minutes',
    ])
  })
})
