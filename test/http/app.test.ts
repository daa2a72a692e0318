import { describe, expect, it, vi } from 'vitest'
import {
  BackendRejected,
  BackendUnavailable,
  Conflict,
  Forbidden,
  InvalidInput,
  NotFound,
} from '../../lib/domain/errors.ts'
import { createHttpApp } from '../../lib/http/app.ts'
import {
  aBulkAnswer,
  aCancelAnswer,
  aRecordingApi,
  aRedriveAnswer,
  bulkId,
  cancellationId,
  dispatchId,
} from './recording-api.ts'

const ada = { id: 'ada', isAdmin: false }

function anApp(answers: Parameters<typeof aRecordingApi>[0] = {}) {
  const api = aRecordingApi(answers)
  const app = createHttpApp({ api, identify: () => ada })
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    app.request(path, { method: 'POST', body, headers })
  return { api, app, post }
}

const cancellations = `/dispatches/${dispatchId}/cancellations`

describe('dispatches', () => {
  it('passes a graph on unchecked, with the idempotency key', async () => {
    const { api, post } = anApp()
    const response = await post('/dispatches', '{"tasks":7}', { 'idempotency-key': 'k1' })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe(`/dispatches/${dispatchId}`)
    expect(await response.json()).toEqual({ dispatchId })
    expect(api.calls).toEqual([{ method: 'submitDispatch', args: [ada, { tasks: 7 }, 'k1'] }])
  })

  it('lists with defaults and with filters', async () => {
    const { api, app } = anApp()
    await app.request('/dispatches')
    await app.request('/dispatches?status=running&owner=bob&tag=project%3Dh2&limit=5&cursor=c')
    expect(api.calls.map(({ args }) => args[1])).toEqual([
      { limit: 25 },
      { status: 'running', owner: 'bob', tag: 'project=h2', limit: 5, cursor: 'c' },
    ])
  })

  it('gives a dispatch, its tasks and its events by a prefix of the id', async () => {
    const { api, app } = anApp()
    for (const path of ['', '/tasks?limit=3', '/events']) {
      expect((await app.request(`/dispatches/3f2a${path}`)).status).toBe(200)
    }
    expect(api.calls).toEqual([
      { method: 'describeDispatch', args: [ada, '3f2a'] },
      { method: 'listTasks', args: [ada, '3f2a', { limit: 3 }] },
      { method: 'listEvents', args: [ada, '3f2a', { limit: 200 }] },
    ])
  })
})

describe('bulk cancellations', () => {
  it('answers 202, names the bulk cancellation, and takes a selector as text', async () => {
    const { api, post } = anApp()
    const body = JSON.stringify({ where: 'tag:project=h2 older:2h', expectedCount: 2, mode: 'force' })
    const response = await post('/cancellations', body, { 'idempotency-key': 'k3' })
    expect(response.status).toBe(202)
    expect(response.headers.get('location')).toBe(`/cancellations/${bulkId}`)
    const where = { tags: { project: 'h2' }, olderThanSeconds: 7200 }
    const defaults = { reason: 'cancelled on request', graceSeconds: 30, dryRun: false }
    expect(api.calls).toEqual([
      { method: 'cancelMany', args: [ada, { where, expectedCount: 2, mode: 'force', ...defaults }, 'k3'] },
    ])
  })

  it('takes a selector as an object, and answers 200 to a dry run', async () => {
    const { api, post } = anApp()
    const where = { tags: { project: 'h2' }, owner: 'me', backend: 'braket' }
    expect((await post('/cancellations', JSON.stringify({ where, dryRun: true }))).status).toBe(200)
    expect(api.calls[0]?.args[1]).toMatchObject({ where })
  })

  it('answers 200 where nothing was found', async () => {
    const { post } = anApp({ cancelMany: async () => aBulkAnswer({ count: 0, dispatches: [] }) })
    expect((await post('/cancellations', '{"where":"all:true","expectedCount":0}')).status).toBe(200)
  })

  it.each([
    ['', ['(none)']],
    ['{"expectedCount":1}', ['where']],
    ['{"where":7,"expectedCount":1}', ['where']],
    ['{"where":{},"expectedCount":1}', ['where']],
    ['{"where":"","expectedCount":1}', ['where']],
    ['{"where":"tag:a owner","expectedCount":1}', ['where', 'where']],
    [
      '{"where":{"tag":"a=b","status":"failed","olderThanSeconds":-1},"dryRun":true}',
      ['where.status', 'where.olderThanSeconds', 'where'],
    ],
    ['{"where":{"all":true,"owner":"me"},"dryRun":true}', ['where']],
    ['{"where":"all:true"}', ['expectedCount']],
    ['{"where":"all:true","taskIds":[1],"dryRun":true}', ['(the whole input)']],
  ])('refuses %s with every problem', async (body, paths) => {
    const { api, post } = anApp()
    const response = await post('/cancellations', body)
    expect(response.status).toBe(400)
    const { details } = (await response.json()) as { details: { path: string }[] }
    expect(details.map(({ path }) => path)).toEqual(body === '' ? [] : paths)
    expect(api.calls).toEqual([])
  })

  it('shows one by its whole id, page by page', async () => {
    const { api, app } = anApp()
    expect((await app.request(`/cancellations/${bulkId}?limit=3&cursor=3`)).status).toBe(200)
    expect((await app.request('/cancellations/b01c')).status).toBe(400)
    expect(api.calls).toEqual([{ method: 'describeBulk', args: [ada, bulkId, { limit: 3, cursor: '3' }] }])
  })

  it('takes none from the page of another site', async () => {
    const { api, post } = anApp()
    const response = await post('/cancellations', '{"where":"all:true","expectedCount":9}', {
      origin: 'https://evil.example',
    })
    expect(response.status).toBe(403)
    expect(api.calls).toEqual([])
  })
})

describe('cancellations', () => {
  it('answers 202 while there is something to stop, and names the cancellation', async () => {
    const { api, post } = anApp()
    const response = await post(cancellations, '{"taskIds":[1,3],"reason":"too dear"}', { 'idempotency-key': 'k2' })
    expect(response.status).toBe(202)
    expect(response.headers.get('location')).toBe(`${cancellations}/${cancellationId}`)
    expect(api.calls[0]?.args).toEqual([
      ada,
      dispatchId,
      { taskIds: [1, 3], reason: 'too dear', mode: 'graceful', graceSeconds: 30, dryRun: false },
      'k2',
    ])
  })

  it('cancels the whole dispatch when there is no body', async () => {
    const { api, app } = anApp()
    expect((await app.request(cancellations, { method: 'POST' })).status).toBe(202)
    expect(api.calls[0]?.args[2]).not.toHaveProperty('taskIds')
  })

  it('answers 200 to a dry run', async () => {
    expect((await anApp().post(cancellations, '{"dryRun":true}')).status).toBe(200)
  })

  it('answers 200 when there was nothing left to stop', async () => {
    const counts = { stopping: 0, abandoned: 0, finished: 4, backends: {} }
    const { post } = anApp({ cancelDispatch: async () => aCancelAnswer({ counts }) })
    expect((await post(cancellations, '{}')).status).toBe(200)
  })

  it('gives the state of a cancellation', async () => {
    const { api, app } = anApp()
    const response = await app.request(`${cancellations}/${cancellationId}`)
    expect(await response.json()).toMatchObject({ state: 'confirmed' })
    expect(api.calls[0]?.args).toEqual([ada, dispatchId, cancellationId])
  })

  it('reports every problem of a request at once, and calls nothing', async () => {
    const { api, post } = anApp()
    const response = await post(cancellations, '{"taskIds":[1,-1,"x"],"mode":"soft","graceSeconds":301,"color":1}')
    expect(response.status).toBe(400)
    const body = (await response.json()) as { code: string; details: { path: string }[] }
    expect(body.code).toBe('InvalidInput')
    expect(body.details.map(({ path }) => path)).toEqual([
      'taskIds[1]',
      'taskIds[2]',
      'mode',
      'graceSeconds',
      '(the whole input)',
    ])
    expect(api.calls).toEqual([])
  })
})

describe('give up', () => {
  const giveUps = `/dispatches/${dispatchId}/give-ups`

  it('passes tasks and the reason on', async () => {
    const { api, post } = anApp()
    expect((await post(giveUps, '{"taskIds":[1],"reason":"gone"}')).status).toBe(200)
    expect(api.calls).toEqual([{ method: 'giveUp', args: [ada, dispatchId, { taskIds: [1], reason: 'gone' }] }])
  })

  it('is refused without a reason', async () => {
    const { api, post } = anApp()
    expect((await post(giveUps, '{"reason":" "}')).status).toBe(400)
    expect((await post(giveUps, '{}')).status).toBe(400)
    expect(api.calls).toEqual([])
  })
})

describe('redrive', () => {
  const redrive = `/dispatches/${dispatchId}/redrive`

  it('answers 202, and passes tasks, force and the idempotency key on', async () => {
    const { api, post } = anApp()
    const response = await post(redrive, '{"taskIds":[1],"force":true}', { 'idempotency-key': 'k3' })
    expect(response.status).toBe(202)
    expect(await response.json()).toEqual(aRedriveAnswer())
    expect(api.calls).toEqual([
      { method: 'redriveDispatch', args: [ada, dispatchId, { taskIds: [1], dryRun: false, force: true }, 'k3'] },
    ])
  })

  it('redrives all that did not succeed when there is no body', async () => {
    const { api, app } = anApp()
    expect((await app.request(redrive, { method: 'POST' })).status).toBe(202)
    expect(api.calls[0]?.args[2]).toEqual({ dryRun: false, force: false })
  })

  it('answers 200 to a dry run, and where there is nothing to reopen', async () => {
    expect((await anApp().post(redrive, '{"dryRun":true}')).status).toBe(200)
    const { post } = anApp({ redriveDispatch: async () => aRedriveAnswer({ reopened: 0 }) })
    expect((await post(redrive, '')).status).toBe(200)
  })

  it('reports every problem of a request at once, and calls nothing', async () => {
    const { api, post } = anApp()
    const response = await post(redrive, '{"taskIds":[-1],"force":"yes","mode":"graceful"}')
    const body = (await response.json()) as { details: { path: string }[] }
    expect(response.status).toBe(400)
    expect(body.details.map(({ path }) => path)).toEqual(['taskIds[0]', 'force', '(the whole input)'])
    expect(api.calls).toEqual([])
  })
})

describe('bad input', () => {
  it.each([
    ['{\n  "name": "pi"\n  "tasks": []\n}', 'line 3, column 3'],
    ['{"name": pi}', 'line 1, column 10'],
    ['{"name": "pi"', 'line 1, column 14'],
    ['', 'it is empty'],
  ])('says where %j is not JSON', async (body, place) => {
    const { api, post } = anApp()
    const response = await post('/dispatches', body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'InvalidInput', message: expect.stringContaining(place) })
    expect(api.calls).toEqual([])
  })

  it('refuses a body above 6 MB and names the limit', async () => {
    const { api, post } = anApp()
    const response = await post('/dispatches', JSON.stringify('x'.repeat(6 * 1024 * 1024)))
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ code: 'PayloadTooLarge', message: expect.stringContaining('6 MB') })
    expect(api.calls).toEqual([])
  })

  it.each([
    ['/dispatches?limit=0', 'limit'],
    ['/dispatches?limit=many', 'limit'],
    ['/dispatches?status=gone', 'status'],
    ['/dispatches?tag=project', 'tag'],
    ['/dispatches/xyz!', 'dispatchId'],
    [`/dispatches/${dispatchId}/tasks?limit=1001`, 'limit'],
  ])('names what is wrong with %s', async (path, problem) => {
    const response = await anApp().app.request(path)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ details: [{ path: problem }] })
  })

  it('refuses an idempotency key that is no token', async () => {
    expect((await anApp().post('/dispatches', '{}', { 'idempotency-key': 'x'.repeat(256) })).status).toBe(400)
  })
})

describe('errors', () => {
  it.each([
    [new InvalidInput('bad', { details: [{ path: 'tasks[3].needs[0]', message: 'unknown' }] }), 400],
    [new Forbidden('not yours'), 403],
    [new NotFound('none'), 404],
    [new Conflict('already'), 409],
    [new BackendRejected('no such queue'), 422],
    [new BackendUnavailable('throttled', { arrived: 'no' }), 503],
  ])('answers %s with %d', async (error, status) => {
    const { app } = anApp({ describeDispatch: () => Promise.reject(error) })
    const response = await app.request(`/dispatches/${dispatchId}`)
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({ code: error.code, message: error.message, details: error.details })
  })

  it('logs an unexpected error as one JSON line and keeps it from the caller', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { app } = anApp({ describeDispatch: () => Promise.reject(new Error('secret')) })
    const response = await app.request(`/dispatches/${dispatchId}`)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
    expect(log).toHaveBeenCalledOnce()
    expect(JSON.parse(String(log.mock.calls[0]?.[0]))).toMatchObject({ event: 'requestFailed', message: 'secret' })
    log.mockRestore()
  })

  it('answers 404 for a route that is none and 405 for a method that is not taken', async () => {
    const { app } = anApp()
    expect(await (await app.request('/nowhere')).json()).toMatchObject({ code: 'NotFound' })
    const response = await app.request(`/dispatches/${dispatchId}`, { method: 'DELETE' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toContain('GET')
    expect(await response.json()).toMatchObject({ code: 'MethodNotAllowed' })
  })
})

describe('callers', () => {
  it('asks who it is before it reads anything', async () => {
    const api = aRecordingApi()
    const refuse = () => {
      throw new Forbidden('who are you?')
    }
    const app = createHttpApp({ api, identify: refuse })
    expect((await app.request('/dispatches', { method: 'POST', body: '{' })).status).toBe(403)
    expect((await app.request('/health')).status).toBe(200)
    expect(api.calls).toEqual([])
  })

  it.each(['https://evil.example', 'null'])('refuses what a page of another origin posts (%s)', async (origin) => {
    const { api, post } = anApp()
    const response = await post('/dispatches', '{}', { origin, host: '127.0.0.1:7766', 'content-type': 'text/plain' })
    expect(response.status).toBe(403)
    expect(api.calls).toEqual([])
  })

  it('takes what a page of its own origin posts', async () => {
    const headers = { origin: 'http://127.0.0.1:7766', host: '127.0.0.1:7766' }
    expect((await anApp().post('/dispatches', '{}', headers)).status).toBe(201)
  })
})
