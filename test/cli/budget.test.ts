import { describe, expect, it } from 'vitest'
import { aBudget, aDispatch, aRecordingApi, dispatchId } from '../http/recording-api.ts'
import { serveApp } from '../http/serve-app.ts'
import { runCaptured } from './run-captured.ts'

describe('budget', () => {
  it('says what was spent by back end, and what is not known', async () => {
    await using server = await serveApp(aRecordingApi())
    const { out, exitCode } = await runCaptured(['budget', dispatchId], server)
    expect(exitCode).toBe(0)
    expect(out.split('\n').map((line) => line.trimEnd())).toEqual([
      'BACK END  ENDED  RUNNING  COMMITTED  PRICE UNKNOWN',
      'batch     $1.00  $0.5000  $0.00',
      'ssh       $0.00  $0.00    $0.00      2 jobs',
      '',
      'about $1.50 in all, limit $5.00',
      'now $3.60 an hour; stopping may still cost $0.0600',
      'not in it: 2 jobs whose price is not known',
    ])
  })

  it('says when it is used up, and when it has warned', async () => {
    const view = aBudget({ isExceeded: true, warnAtUsd: 4, warnedAt: '2026-03-01T12:00:00.000Z', backends: {} })
    await using server = await serveApp(aRecordingApi({ describeBudget: async () => view }))
    const { out } = await runCaptured(['budget', dispatchId], server)
    expect(out).toContain('Nothing was started that costs anything.')
    expect(out).toContain('limit $5.00: used up')
    expect(out).toContain('warning at $4.00: reached at 2026-03-01T12:00:00.000Z')
  })

  it('prints what the API says with --json', async () => {
    await using server = await serveApp(aRecordingApi())
    const { out } = await runCaptured(['budget', dispatchId, '--json'], server)
    expect(JSON.parse(out)).toEqual(aBudget())
  })

  it.each([
    ['a new limit keeps the warning', ['--limit', '20'], { warnAtUsd: 4 }, { limitUsd: 20, warnAtUsd: 4 }],
    ['one below the warning drops it', ['--limit', '$3.50'], { warnAtUsd: 4 }, { limitUsd: 3.5 }],
    ['a new warning keeps the limit', ['--warn-at', '2'], {}, { limitUsd: 5, warnAtUsd: 2 }],
  ])('%s', async (_, args, before, expected) => {
    const api = aRecordingApi({ describeBudget: async () => aBudget(before) })
    await using server = await serveApp(api)
    expect((await runCaptured(['budget', dispatchId, ...args], server)).exitCode).toBe(0)
    expect(api.calls.find(({ method }) => method === 'setBudget')?.args[2]).toEqual(expected)
  })

  it('refuses a warning without a limit, and what is no amount', async () => {
    const { limitUsd: _, ...unlimited } = aBudget()
    await using server = await serveApp(aRecordingApi({ describeBudget: async () => unlimited }))
    const warning = await runCaptured(['budget', dispatchId, '--warn-at', '2'], server)
    expect(warning).toMatchObject({ exitCode: 2, error: expect.stringContaining('give --limit as well') })
    expect(await runCaptured(['budget', dispatchId, '--limit', '-1'], server)).toMatchObject({ exitCode: 2 })
    expect(await runCaptured(['budget', dispatchId, '--limit', '1e3'], server)).toMatchObject({ exitCode: 2 })
  })
})

it('show has a line about it', async () => {
  const spend = { totalUsd: 1.25, unknownJobs: 1, limitUsd: 5 }
  await using server = await serveApp(aRecordingApi({ describeDispatch: async () => aDispatch({ spend }) }))
  const { out } = await runCaptured(['show', dispatchId], server)
  expect(out).toContain('spent     about $1.25 of $5.00, and 1 job whose price is not known')
})
