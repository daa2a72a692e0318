import { describe, expect, it } from 'vitest'
import type { Api } from '../../lib/app/api.ts'
import { InvalidInput, NotFound } from '../../lib/domain/errors.ts'
import { aDispatch, anEvent, aRecordingApi, aTask, dispatchId } from '../http/recording-api.ts'
import { serveApp } from '../http/serve-app.ts'
import { anUnusedUrl } from '../http/unused-url.ts'
import { runCaptured } from './run-captured.ts'

/** Answers one after another; the last one stays. */
function inTurn<Answer>(...answers: Answer[]): () => Promise<Answer> {
  return async () => (answers.length > 1 ? answers.shift() : answers[0]) as Answer
}

/** A dispatch whose first task is seen running, then done. */
function aShortDispatch(end: 'succeeded' | 'failed'): Partial<Api> {
  const started = { attempt: 1, startedAt: '2026-03-01T12:00:01.000Z' }
  return {
    describeDispatch: inTurn(
      aDispatch({ tasks: { running: 1 } }),
      aDispatch({ tasks: { [end]: 1 }, state: end, endedAt: '2026-03-01T12:00:09.000Z' }),
    ),
    listTasks: inTurn(
      { items: [aTask({ ...started, state: 'running' })] },
      { items: [aTask({ ...started, state: end, endedAt: '2026-03-01T12:00:08.000Z' })] },
    ),
  }
}

describe('ls', () => {
  it('lists dispatches, as many as wanted', async () => {
    const api = aRecordingApi({ listDispatches: async () => ({ items: [aDispatch(), aDispatch()], cursor: 'more' }) })
    await using server = await serveApp(api)
    const { out, exitCode } = await runCaptured(['ls', '--limit', '3', '--status', 'running'], server)
    expect(out.split('\n')).toHaveLength(4)
    expect(exitCode).toBe(0)
    expect(api.calls[0]?.args[1]).toMatchObject({ status: 'running' })
  })

  it('prints an array with --json, before or after the command', async () => {
    await using server = await serveApp(aRecordingApi())
    for (const args of [
      ['ls', '--json'],
      ['--json', 'ls'],
    ]) {
      expect(JSON.parse((await runCaptured(args, server)).out)).toEqual([aDispatch()])
    }
  })

  it('says so when there is nothing', async () => {
    await using server = await serveApp(aRecordingApi({ listDispatches: async () => ({ items: [] }) }))
    expect((await runCaptured(['ls'], server)).out).toContain('No dispatches yet')
    expect((await runCaptured(['ls', '--owner', 'bob'], server)).out).toBe('No such dispatches.')
  })
})

describe('show and events', () => {
  it('print what there is for people and as JSON', async () => {
    await using server = await serveApp(aRecordingApi())
    expect((await runCaptured(['show', '3f2a'], server)).out).toMatch(/^pi .*reduce {2}pending/s)
    const { out } = await runCaptured(['show', '3f2a', '--json'], server)
    expect(JSON.parse(out)).toMatchObject({ dispatch: { name: 'pi' }, tasks: [{ taskId: 0 }, { taskId: 1 }] })
    expect((await runCaptured(['events', '3f2a'], server)).out).toContain('split: submitted to batch')
    expect(JSON.parse((await runCaptured(['events', '3f2a', '--json'], server)).out)).toEqual(anEvent())
  })
})

describe('watch', () => {
  it('prints what changes when it is piped, and leaves with 0 after a success', async () => {
    await using server = await serveApp(aRecordingApi(aShortDispatch('succeeded')))
    const { out, exitCode } = await runCaptured(['watch', dispatchId], server)
    const lines = out.split('\n')
    expect(lines[0]).toMatch(/split {2}running {2}\(batch\)$/)
    expect(lines[1]).toMatch(/split {2}succeeded {2}\(batch, 7.0s\)$/)
    expect(lines[2]).toBe('pi succeeded after 9.0s: 1 succeeded')
    expect(lines).toHaveLength(3)
    expect(exitCode).toBe(0)
  })

  it('prints a JSON line a change, and leaves with 1 after a failure', async () => {
    await using server = await serveApp(aRecordingApi(aShortDispatch('failed')))
    const { out, exitCode } = await runCaptured(['watch', dispatchId, '--json'], server)
    const lines = out.split('\n').map((line) => JSON.parse(line))
    expect(lines.map(({ type, state }) => `${type} ${state}`)).toEqual([
      'task running',
      'dispatch running',
      'task failed',
      'dispatch failed',
    ])
    expect(exitCode).toBe(1)
  })

  it('draws on a terminal and ends with a summary', async () => {
    await using server = await serveApp(aRecordingApi(aShortDispatch('succeeded')))
    const { frames, out } = await runCaptured(['watch', dispatchId], { ...server, hasScreen: true })
    expect(frames).toHaveLength(2)
    expect(frames[0]).toContain('running')
    expect(out).toBe('pi succeeded after 9.0s: 1 succeeded')
  })
})

describe('failures', () => {
  it('leave with 2 for an id that is none or unknown', async () => {
    await using server = await serveApp(
      aRecordingApi({ describeDispatch: () => Promise.reject(new NotFound('there is no dispatch abcd')) }),
    )
    expect(await runCaptured(['show', 'abcd'], server)).toMatchObject({
      exitCode: 2,
      error: 'quench: there is no dispatch abcd',
    })
    expect(await runCaptured(['show', 'xyz'], server)).toMatchObject({
      exitCode: 2,
      error: 'quench: "xyz" must be a dispatch id, or a unique prefix of at least 4 characters.',
    })
  })

  it('list every problem once', async () => {
    const details = ['a', 'b', 'c'].map((path) => ({ path, message: `${path} is wrong` }))
    const api = aRecordingApi({
      describeDispatch: () => Promise.reject(new InvalidInput('a: a is wrong (and 2 more)', { details })),
    })
    await using server = await serveApp(api)
    expect((await runCaptured(['show', 'abcd'], server)).error).toBe(
      'quench: a: a is wrong (and 2 more)\n  b: b is wrong\n  c: c is wrong',
    )
    expect(JSON.parse((await runCaptured(['show', 'abcd', '--json'], server)).error)).toMatchObject({ details })
  })

  it('leave with 3 when no server answers, or the server fails', async () => {
    const url = await anUnusedUrl()
    expect(await runCaptured(['ls'], { url })).toMatchObject({
      exitCode: 3,
      error: `quench: No Quench server answers at ${url}. Start one with "quench up", or set QUENCH_URL.`,
    })
  })

  it.each([
    [['ls', '--limit', 'x'], 'whole number'],
    [['ls', '--tag', 'x'], 'key=value'],
    [['ls', '--status', 'gone'], 'Allowed choices'],
    [['cancel', 'abcd', '--grace', '301'], 'from 0 to 300'],
    [['cancel', 'abcd', '--force', '--grace', '1'], 'cannot be used with'],
    [['up', '--port', '65536'], 'from 0 to 65535'],
    [['up', '--hosts', 'a,,b'], '"" is not the name of a host'],
    [['show'], 'missing required argument'],
    [['launch'], 'unknown command'],
    [['ls', '--url', 'nonsense'], 'is not the address of a server'],
  ])('leave with 2 for the usage %j', async (args, words) => {
    const { exitCode, error } = await runCaptured(args)
    expect(exitCode).toBe(2)
    expect(error).toContain(words)
    expect(error).toMatch(/^quench: /)
  })
})
