import { describe, expect, it } from 'vitest'
import { collect } from '../../lib/cli/collect.ts'
import { createClient } from '../../lib/client/client.ts'
import { QuenchApiError, ServerUnreachable } from '../../lib/client/errors.ts'
import { InvalidInput, NotFound } from '../../lib/domain/errors.ts'
import { aRecordingApi, aTask, bulkId, cancellationId, dispatchId } from '../http/recording-api.ts'
import { serveApp } from '../http/serve-app.ts'
import { anUnusedUrl } from '../http/unused-url.ts'

const graph = { name: 'pi', tasks: [{ name: 'split', executor: 'batch' }] }

/** A `fetch` that breaks some times, before or after the server has got the request. */
function aBreakingFetch(times: number, when: 'before' | 'after'): typeof fetch {
  let left = times
  return async (...args) => {
    const isBroken = left > 0
    left -= 1
    if (isBroken && when === 'before') throw new TypeError('fetch failed')
    const response = await fetch(...args)
    if (isBroken) throw new TypeError('terminated')
    return response
  }
}

describe('the client', () => {
  it('dispatches, looks, cancels and redrives', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const quench = createClient({ url: `${server.url}/` })
    const id = await quench.dispatch(graph)
    expect(id).toBe(dispatchId)
    expect(await quench.describe(id)).toMatchObject({ name: 'pi' })
    expect(await collect(quench.events(id))).toHaveLength(1)
    expect(await collect(quench.list({ tag: 'project=h2' }))).toHaveLength(1)
    expect(await quench.cancel(id, { taskIds: [1, 3, 5] })).toMatchObject({ cancellationId })
    expect(await quench.cancelMany({ where: 'tag:project=h2', dryRun: true })).toMatchObject({ count: 2 })
    expect(await quench.bulk(bulkId)).toMatchObject({ total: 2 })
    expect(await collect(quench.bulkItems(bulkId))).toHaveLength(2)
    expect(await quench.cancellation(id, cancellationId)).toMatchObject({ state: 'confirmed' })
    expect(await quench.redrive(id, { taskIds: [1], idempotencyKey: 'again' })).toMatchObject({ reopened: 2 })
    expect(api.calls.map(({ method }) => method)).toEqual([
      'submitDispatch',
      'describeDispatch',
      'listEvents',
      'listDispatches',
      'cancelDispatch',
      'cancelMany',
      'describeBulk',
      'describeBulk',
      'describeCancellation',
      'redriveDispatch',
    ])
    expect(api.calls.at(-1)?.args.slice(2)).toEqual([{ taskIds: [1], dryRun: false, force: false }, 'again'])
    expect(api.calls[4]?.args[2]).toMatchObject({ taskIds: [1, 3, 5] })
  })

  it('reads tasks page by page', async () => {
    const api = aRecordingApi({
      listTasks: async (_caller, _id, { cursor }) =>
        cursor === undefined ? { items: [aTask()], cursor: 'next&' } : { items: [aTask({ taskId: 1 })] },
    })
    await using server = await serveApp(api)
    const tasks = await collect(createClient({ url: server.url }).tasks(dispatchId))
    expect(tasks.map(({ taskId }) => taskId)).toEqual([0, 1])
    expect(api.calls.map(({ args }) => args[2])).toEqual([{ limit: 1000 }, { limit: 1000, cursor: 'next&' }])
  })

  it.each(['before', 'after'] as const)('repeats a call whose connection breaks %s it, under one key', async (when) => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    const quench = createClient({ url: server.url, fetch: aBreakingFetch(2, when) })
    await quench.dispatch(graph)
    await quench.cancel(dispatchId)
    const [first, ...others] = api.calls.filter(({ method }) => method === 'submitDispatch').map(({ args }) => args[2])
    expect(first).toMatch(/^[0-9a-f-]{36}$/)
    expect(others).toEqual(when === 'before' ? [] : [first, first])
    expect(api.calls.at(-1)?.args[3]).not.toBe(first)
  })

  it.each([
    [429, 2, undefined],
    [503, 3, undefined],
    [503, 4, 503],
  ])('asks a server that says %i again, three times: it does so %i times', async (status, times, expected) => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    let left = times
    const fetchBusy: typeof fetch = async (...args) => {
      left -= 1
      return left >= 0 ? Response.json({ message: 'Too Many Requests' }, { status }) : fetch(...args)
    }
    const answer = createClient({ url: server.url, fetch: fetchBusy }).describe(dispatchId)
    if (expected === undefined) expect(await answer).toMatchObject({ dispatchId })
    else await expect(answer).rejects.toMatchObject({ status: expected })
    expect(api.calls).toHaveLength(expected === undefined ? 1 : 0)
  })

  it('uses the key that it is given', async () => {
    const api = aRecordingApi()
    await using server = await serveApp(api)
    await createClient({ url: server.url }).dispatch(graph, { idempotencyKey: 'mine' })
    expect(api.calls[0]?.args[2]).toBe('mine')
  })

  it('throws what the server says, with status, code and details', async () => {
    const details = [{ path: 'tasks[0].executor', message: 'there is no executor "cloud"' }]
    const api = aRecordingApi({
      submitDispatch: () => Promise.reject(new InvalidInput('bad graph', { details })),
      describeDispatch: () => Promise.reject(new NotFound('no such dispatch')),
    })
    await using server = await serveApp(api)
    const quench = createClient({ url: server.url })
    await expect(quench.dispatch(graph)).rejects.toMatchObject({ status: 400, code: 'InvalidInput', details })
    await expect(quench.describe('3f2a')).rejects.toMatchObject({ status: 404, code: 'NotFound' })
    await expect(quench.describe('3f2a')).rejects.toBeInstanceOf(QuenchApiError)
  })

  it('hears that a graph is too large', async () => {
    await using server = await serveApp(aRecordingApi())
    const large = { ...graph, tags: { note: 'x'.repeat(7 * 1024 * 1024) } }
    await expect(createClient({ url: server.url }).dispatch(large)).rejects.toMatchObject({ status: 413 })
  })

  it('says that no server answers', async () => {
    const url = await anUnusedUrl()
    const calling = createClient({ url }).describe(dispatchId)
    await expect(calling).rejects.toBeInstanceOf(ServerUnreachable)
    await expect(calling).rejects.toThrow(`No Quench server answers at ${url}. Start one with "quench up"`)
  })

  it('says when something else answers', async () => {
    const html: typeof fetch = async () => new Response('<html>', { status: 200 })
    await expect(createClient({ fetch: html }).describe(dispatchId)).rejects.toThrow('is not a Quench server')
  })

  it.each(['..', '', 'a/b', 'abc'])('sends nothing for %j, which is no id', async (id) => {
    const never: typeof fetch = () => Promise.reject(new Error('sent'))
    await expect(createClient({ fetch: never }).cancel(id)).rejects.toBeInstanceOf(InvalidInput)
  })

  it('refuses an address that is none', () => {
    expect(() => createClient({ url: 'localhost:7766' })).toThrow('is not the address of a server')
  })
})
