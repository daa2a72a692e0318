import { describe, expect, it } from 'vitest'
import { Conflict } from '../../lib/domain/errors.ts'
import { aBulkAnswer, aBulkView, aRecordingApi, bulkId, dispatchId, otherId } from '../http/recording-api.ts'
import { serveApp } from '../http/serve-app.ts'
import { runCaptured } from './run-captured.ts'

/** The requests that reached `cancelMany`. */
function requestsOf({ calls }: ReturnType<typeof aRecordingApi>) {
  return calls.filter(({ method }) => method === 'cancelMany').map(({ args }) => args[1])
}

const where = 'tag:project=h2 older:2h'
const selector = { tags: { project: 'h2' }, olderThanSeconds: 7200 }

describe('cancel --where', () => {
  it('lists what is meant, asks with the count, and cancels so many', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const args = ['cancel', '--where', where, '--reason', 'too dear', '--force']
    const { out, questions, exitCode } = await runCaptured(args, { ...server, answer: true })
    expect(questions).toEqual(['Cancel these 2 dispatches?'])
    expect(out).toContain(dispatchId)
    expect(out).toContain('grace')
    expect(out.split('\n').slice(-4)).toEqual([
      '2 dispatches to cancel: tag:project=h2 owner:ada',
      'Cancelling 2 dispatches.',
      '',
      `  quench cancellations ${bulkId}`,
    ])
    expect(exitCode).toBe(0)
    expect(requestsOf(api)).toMatchObject([
      { where: selector, dryRun: true },
      { where: selector, dryRun: false, expectedCount: 2, reason: 'too dear', mode: 'force' },
    ])
  })

  it('cancels nothing when the answer is no', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { error, exitCode } = await runCaptured(['cancel', '--where', where], { ...server, answer: false })
    expect(error).toBe('Nothing was cancelled.')
    expect(exitCode).toBe(1)
    expect(requestsOf(api)).toHaveLength(1)
  })

  it('refuses where nobody is there to confirm it, before anything is asked of the server', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { error, exitCode } = await runCaptured(['cancel', '--where', where], server)
    expect(error).toMatch(/give --yes, or --dry-run/)
    expect(exitCode).toBe(2)
    expect(requestsOf(api)).toEqual([])
  })

  it('does not ask with --yes', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { exitCode } = await runCaptured(['cancel', '--where', where, '--yes'], server)
    expect(exitCode).toBe(0)
    expect(requestsOf(api)).toHaveLength(2)
  })

  it('only lists with --dry-run, also where nobody is there', async () => {
    const api = aRecordingApi({ cancelMany: async () => aBulkAnswer({ dryRun: true, count: 300 }) })
    await using server = await serveApp(api)
    const { out, exitCode } = await runCaptured(['cancel', '--where', where, '--dry-run'], server)
    expect(out.split('\n').slice(-2)).toEqual(['and 298 more', '300 dispatches to cancel: tag:project=h2 owner:ada'])
    expect(exitCode).toBe(0)
    expect(requestsOf(api)).toHaveLength(1)
    const { out: json } = await runCaptured(['cancel', '--where', where, '--dry-run', '--json'], server)
    expect(JSON.parse(json)).toMatchObject({ count: 300, dryRun: true })
  })

  it('says so when nothing matches', async () => {
    const api = aRecordingApi({ cancelMany: async () => aBulkAnswer({ dryRun: true, count: 0, dispatches: [] }) })
    await using server = await serveApp(api)
    const { out, exitCode, questions } = await runCaptured(['cancel', '--where', where], { ...server, answer: true })
    expect(out).toBe('Nothing to cancel: no open dispatch matches tag:project=h2 owner:ada.')
    expect(exitCode).toBe(0)
    expect(questions).toEqual([])
  })

  it('asks again with the new count when more match than were confirmed', async () => {
    const counts = [2, 3]
    const details = [{ path: 'expectedCount', message: '3 dispatches match now' }]
    const api = aRecordingApi({
      cancelMany: async (_caller, { dryRun = false, expectedCount = 0 }) => {
        if (dryRun) return aBulkAnswer({ dryRun, count: counts.shift() ?? 3 })
        if (expectedCount < 3) throw new Conflict('3 dispatches match now, and 2 were confirmed', { details })
        return aBulkAnswer({ count: 3 })
      },
    })
    await using server = await serveApp(api)
    const { questions, error, exitCode } = await runCaptured(['cancel', '--where', where], { ...server, answer: true })
    expect(questions).toEqual(['Cancel these 2 dispatches?', 'Cancel these 3 dispatches?'])
    expect(error).toBe('3 dispatches match now, and 2 were confirmed.')
    expect(exitCode).toBe(0)
  })

  it('gives up when more match each time', async () => {
    const details = [{ path: 'expectedCount', message: 'more' }]
    const api = aRecordingApi({
      cancelMany: async (_caller, { dryRun = false }) => {
        if (!dryRun) throw new Conflict('more dispatches match now', { details })
        return aBulkAnswer({ dryRun })
      },
    })
    await using server = await serveApp(api)
    const { exitCode } = await runCaptured(['cancel', '--where', where, '--yes'], server)
    expect(exitCode).toBe(2)
    expect(requestsOf(api)).toHaveLength(10)
  })

  it('is told every problem of its selector', async () => {
    await using server = await serveApp(aRecordingApi())
    const { error, exitCode } = await runCaptured(['cancel', '--where', 'tag:x older:soon', '--dry-run'], server)
    expect(exitCode).toBe(2)
    expect(error).toContain('where: tag: x is not key=value')
    expect(error).toContain('where: older: soon is no time')
  })

  it.each([
    [['cancel'], 'Give its id, or --where for many'],
    [['cancel', '3f2a', '--where', where], 'leave out the id and --tasks'],
    [['cancel', '--where', where, '--tasks', '1'], 'leave out the id and --tasks'],
  ])('refuses %j', async (args, words) => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const { error, exitCode } = await runCaptured(args, server)
    expect(exitCode).toBe(2)
    expect(error).toContain(words)
    expect(api.calls).toEqual([])
  })
})

describe('cancel --where --wait', () => {
  const [item] = aBulkView().items
  const itemOf = (id: string, change: object) => ({ ...(item as NonNullable<typeof item>), dispatchId: id, ...change })

  it('waits for every dispatch, and then for every job', async () => {
    const stopping = [itemOf(dispatchId, { confirmation: 'stopping' }), itemOf(otherId, {})]
    const views = [
      aBulkView({ state: 'working', done: 1 }),
      aBulkView(),
      aBulkView({ items: stopping }),
      aBulkView(),
      aBulkView(),
    ]
    await using server = await serveApp(aRecordingApi({ describeBulk: async () => views.shift() ?? aBulkView() }))
    const args = ['cancel', '--where', where, '--yes', '--wait']
    const { out, exitCode, frames } = await runCaptured(args, { ...server, hasScreen: true })
    expect(frames).toEqual([
      'cancelled 1 of 2  failed 0  confirmed 0  unconfirmed 0',
      'cancelled 2 of 2  failed 0  confirmed 1  unconfirmed 0',
      'cancelled 2 of 2  failed 0  confirmed 2  unconfirmed 0',
    ])
    expect(out.split('\n').slice(-2)).toEqual([
      'cancelled 2 of 2  failed 0  confirmed 2  unconfirmed 0',
      'Every job is confirmed to have ended.',
    ])
    expect(exitCode).toBe(0)
  })

  it.each([
    [{ confirmation: 'unconfirmed' }, {}, 'Some jobs are not confirmed'],
    [
      { outcome: 'failed', error: { code: 'GivenUp', message: 'it could not be' }, confirmation: 'none' },
      { done: 1, failed: 1 },
      `${otherId}: it could not be`,
    ],
  ])('leaves with 1 when it ends with %j', async (change, counts, words) => {
    const view = aBulkView({ ...counts, items: [itemOf(dispatchId, {}), itemOf(otherId, change)] })
    await using server = await serveApp(aRecordingApi({ describeBulk: async () => view }))
    const { out, exitCode } = await runCaptured(['cancellations', bulkId, '--wait'], server)
    expect(out).toContain(words)
    expect(exitCode).toBe(1)
    const { out: json } = await runCaptured(['cancellations', bulkId, '--wait', '--json'], server)
    expect(JSON.parse(json)).toMatchObject({ bulkId, total: 2, ...counts })
  })
})

describe('cancellations', () => {
  it('shows how far it is, and what became of each', async () => {
    await using server = await serveApp(aRecordingApi())
    const { out, exitCode } = await runCaptured(['cancellations', bulkId], server)
    expect(out.split('\n').slice(0, 4)).toEqual([
      `${bulkId}  done`,
      '  where     tag:project=h2 owner:ada',
      '  asked     2026-03-01T12:00:02Z by ada (api): too dear',
      '  progress  2 of 2 cancelled, 0 failed',
    ])
    expect(out).toMatch(new RegExp(`${otherId}\\s+done\\s+cancelled\\s+1 stopping, 0 abandoned, 0 finished`))
    expect(exitCode).toBe(0)
  })

  it('prints all of it as JSON', async () => {
    await using server = await serveApp(aRecordingApi())
    const { out } = await runCaptured(['cancellations', bulkId, '--json'], server)
    expect(JSON.parse(out)).toEqual(aBulkView())
  })
})
