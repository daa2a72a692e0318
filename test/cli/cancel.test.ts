import { describe, expect, it } from 'vitest'
import { InvalidInput } from '../../lib/domain/errors.ts'
import {
  aCancelAnswer,
  aCancellation,
  aRecordingApi,
  aTask,
  cancellationId,
  dispatchId,
} from '../http/recording-api.ts'
import { serveApp } from '../http/serve-app.ts'
import { runCaptured } from './run-captured.ts'

const nothing = { stopping: 0, abandoned: 0, finished: 13, backends: {} }

/** The requests that reached `cancelDispatch`. */
function requestsOf({ calls }: ReturnType<typeof aRecordingApi>) {
  return calls.filter(({ method }) => method === 'cancelDispatch').map(({ args }) => args[2])
}

describe('cancel', () => {
  it('shows what it would do, asks, and does it', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { out, questions, exitCode } = await runCaptured(['cancel', '3f2a', '--reason', 'too dear'], {
      ...server,
      answer: true,
    })
    expect(questions).toEqual([`Cancel dispatch ${dispatchId}?`])
    expect(out.split('\n').slice(0, 2)).toEqual([
      `To cancel dispatch ${dispatchId}: stopping 9 jobs (batch 8, ssh 1), abandoning 3 tasks; 1 finished already.`,
      `Cancelling dispatch ${dispatchId}: stopping 9 jobs (batch 8, ssh 1), abandoning 3 tasks; 1 finished already.`,
    ])
    expect(exitCode).toBe(0)
    expect(requestsOf(api)).toMatchObject([{ dryRun: true }, { dryRun: false, reason: 'too dear', mode: 'graceful' }])
  })

  it('cancels nothing when the answer is no', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { error, exitCode } = await runCaptured(['cancel', dispatchId], { ...server, answer: false })
    expect(error).toBe('Nothing was cancelled.')
    expect(exitCode).toBe(1)
    expect(requestsOf(api)).toHaveLength(1)
  })

  it.each([
    ['--yes', ['--yes'], { answer: false }],
    ['nobody at a terminal', [], {}],
  ])('does not ask with %s', async (_when, args, who) => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { questions } = await runCaptured(['cancel', dispatchId, ...args], { ...server, ...who })
    expect(questions).toEqual([])
    expect(requestsOf(api)).toHaveLength(2)
  })

  it('does not ask for a part of a dispatch, and passes mode and grace on', async () => {
    const api = aRecordingApi({
      cancelDispatch: async (_caller, _id, { dryRun = false }) => aCancelAnswer({ dryRun, scope: 'tasks' }),
    })
    await using server = await serveApp(api)
    const who = { ...server, answer: false }
    expect((await runCaptured(['cancel', dispatchId, '--tasks', '5,1', '--force'], who)).questions).toEqual([])
    await runCaptured(['cancel', dispatchId, '--tasks', '1', '--grace', '0'], who)
    expect(requestsOf(api).filter((_, index) => index % 2 === 1)).toMatchObject([
      { taskIds: [5, 1], mode: 'force' },
      { taskIds: [1], mode: 'graceful', graceSeconds: 0 },
    ])
  })

  it('takes names of tasks', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    await runCaptured(['cancel', dispatchId, '--tasks', 'reduce, 0', '--dry-run'], server)
    expect(requestsOf(api)).toMatchObject([{ taskIds: [1, 0], dryRun: true }])
  })

  it.each([
    ['1,,3', 'a task is missing between the commas'],
    ['0,one,-2', 'is called "one", "-2"'],
  ])('names the bad piece of --tasks %s', async (list, words) => {
    const api = aRecordingApi({ listTasks: async () => ({ items: [aTask()] }) })
    await using server = await serveApp(api)
    const { exitCode, error } = await runCaptured(['cancel', dispatchId, '--tasks', list], server)
    expect(exitCode).toBe(2)
    expect(error).toContain(words)
    expect(requestsOf(api)).toEqual([])
  })

  it('names the id that the server does not know', async () => {
    const details = [{ path: 'taskIds[0]', message: 'there is no task 99: ids run from 0 to 12' }]
    const api = aRecordingApi({ cancelDispatch: () => Promise.reject(new InvalidInput('no such task', { details })) })
    await using server = await serveApp(api)
    const { exitCode, error } = await runCaptured(['cancel', dispatchId, '--tasks', '99'], server)
    expect(exitCode).toBe(2)
    expect(error).toContain('there is no task 99')
  })

  it('is friendly about what has finished', async () => {
    const api = aRecordingApi({ cancelDispatch: async () => aCancelAnswer({ dryRun: true, counts: nothing }) })
    await using server = await serveApp(api)
    const { exitCode, out } = await runCaptured(['cancel', dispatchId, '--wait'], { ...server, answer: false })
    expect(exitCode).toBe(0)
    expect(out).toBe(`Nothing to cancel: every task of dispatch ${dispatchId} had finished already.`)
    expect(requestsOf(api)).toHaveLength(1)
  })

  it('prints the preview as JSON', async () => {
    await using server = await serveApp(aRecordingApi())
    const { out } = await runCaptured(['cancel', dispatchId, '--dry-run', '--json'], server)
    expect(JSON.parse(out)).toEqual(aCancelAnswer({ dryRun: true }))
  })
})

describe('cancel --wait', () => {
  it('follows until every job is confirmed', async () => {
    const views = [aCancellation({ state: 'stopping' }), aCancellation()]
    const api = aRecordingApi({ describeCancellation: async () => views.shift() ?? aCancellation() })
    await using server = await serveApp(api)
    const { out, exitCode } = await runCaptured(['cancel', dispatchId, '--wait'], server)
    expect(out.split('\n').slice(2)).toEqual([
      'batch  requested 8  confirmed 8  unconfirmed 0',
      '3 tasks abandoned',
      'Every job is confirmed to have ended.',
    ])
    expect(exitCode).toBe(0)
    expect(views).toEqual([])
  })

  it('redraws the lines on a terminal', async () => {
    const views = [aCancellation({ state: 'stopping' })]
    const api = aRecordingApi({ describeCancellation: async () => views.shift() ?? aCancellation() })
    await using server = await serveApp(api)
    const { frames } = await runCaptured(['cancel', dispatchId, '--wait'], { ...server, hasScreen: true })
    expect(frames).toHaveLength(2)
  })

  it.each(['unconfirmed', 'not-applied'] as const)('leaves with 1 when the end is %s', async (state) => {
    await using server = await serveApp(aRecordingApi({ describeCancellation: async () => aCancellation({ state }) }))
    const { out, exitCode } = await runCaptured(['cancel', dispatchId, '--wait', '--json'], server)
    const [answer, view] = out.split('\n').map((line) => JSON.parse(line))
    expect(answer).toMatchObject({ cancellationId })
    expect(view).toMatchObject({ state })
    expect(exitCode).toBe(1)
  })
})
