import { describe, expect, it } from 'vitest'
import { Conflict } from '../../lib/domain/errors.ts'
import { aDispatch, aRecordingApi, aRedriveAnswer, dispatchId } from '../http/recording-api.ts'
import { serveApp } from '../http/serve-app.ts'
import { runCaptured } from './run-captured.ts'

/** The requests that reached `redriveDispatch`. */
function requestsOf({ calls }: ReturnType<typeof aRecordingApi>) {
  return calls.filter(({ method }) => method === 'redriveDispatch').map(({ args }) => args[2])
}

describe('redrive', () => {
  it('shows what it would do, and does it without a question', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { out, questions, exitCode } = await runCaptured(['redrive', '3f2a'], { ...server, answer: false })
    expect(out.split('\n')).toEqual([
      `To redrive of dispatch ${dispatchId}: 2 tasks run again (1 cancelled, 1 skipped).`,
      '      1  sample  cancelled',
      '      2  reduce  skipped',
      `Redriving dispatch ${dispatchId}: 2 tasks run again (1 cancelled, 1 skipped).`,
      '',
      `  quench watch ${dispatchId}`,
    ])
    expect(questions).toEqual([])
    expect(exitCode).toBe(0)
    expect(requestsOf(api)).toEqual([
      { dryRun: true, force: false },
      { dryRun: false, force: false },
    ])
  })

  it('asks before it forces, and says what may still run', async () => {
    const api = aRecordingApi({
      redriveDispatch: async (_caller, _id, { dryRun = false }) => aRedriveAnswer({ dryRun, unconfirmed: 3 }),
    })
    await using server = await serveApp(api)
    const { out, error, questions, exitCode } = await runCaptured(['redrive', dispatchId, '--force'], {
      ...server,
      answer: false,
    })
    expect(out).toContain('3 jobs may still run, not confirmed to have ended, beside the new attempts.')
    expect(questions).toEqual([`Redrive dispatch ${dispatchId} without waiting for its jobs?`])
    expect(error).toBe('Nothing was redriven.')
    expect(exitCode).toBe(1)
    expect(requestsOf(api)).toEqual([{ dryRun: true, force: true }])
  })

  it.each([
    ['--yes', ['--yes'], { answer: false }],
    ['nobody at a terminal', [], {}],
  ])('does not ask with %s', async (_when, args, who) => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { questions } = await runCaptured(['redrive', dispatchId, '--force', ...args], { ...server, ...who })
    expect(questions).toEqual([])
    expect(requestsOf(api)).toHaveLength(2)
  })

  it('takes names of tasks, and a dry run changes nothing', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    await runCaptured(['redrive', dispatchId, '--tasks', 'reduce,0', '--dry-run'], server)
    expect(requestsOf(api)).toEqual([{ taskIds: [1, 0], dryRun: true, force: false }])
  })

  it('says so where there is nothing to redrive', async () => {
    const api = aRecordingApi({ redriveDispatch: async () => aRedriveAnswer({ dryRun: true, reopened: 0, tasks: [] }) })
    await using server = await serveApp(api)
    const { out, exitCode } = await runCaptured(['redrive', dispatchId], server)
    expect(out).toContain('Nothing to redrive')
    expect(exitCode).toBe(0)
    expect(requestsOf(api)).toHaveLength(1)
  })

  it('prints one answer as JSON, and follows with --watch', async () => {
    const api = aRecordingApi({ describeDispatch: async () => aDispatch({ state: 'failed' }) })
    await using server = await serveApp(api)
    const plain = await runCaptured(['redrive', dispatchId, '--json'], server)
    expect(JSON.parse(plain.out)).toEqual(aRedriveAnswer())
    const watched = await runCaptured(['redrive', dispatchId, '--watch'], server)
    expect(watched.exitCode).toBe(1)
    expect(watched.out).toContain('pi failed')
    expect(watched.out).not.toContain('quench watch')
  })

  it('passes the refusal on', async () => {
    const refuse = () => Promise.reject(new Conflict('a cancellation is still being confirmed: wait'))
    await using server = await serveApp(aRecordingApi({ redriveDispatch: refuse }))
    const { error, exitCode } = await runCaptured(['redrive', dispatchId], server)
    expect(error).toContain('still being confirmed')
    expect(exitCode).toBe(2)
  })

  it('shortens a long list of tasks', async () => {
    const tasks = Array.from({ length: 23 }, (_, taskId) => ({ taskId, name: `t${taskId}`, state: 'failed' as const }))
    const api = aRecordingApi({ redriveDispatch: async () => aRedriveAnswer({ dryRun: true, reopened: 23, tasks }) })
    await using server = await serveApp(api)
    const { out } = await runCaptured(['redrive', dispatchId, '--dry-run'], server)
    expect(out.split('\n').at(-1)).toBe('         … and 3 more')
  })
})
