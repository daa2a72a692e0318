import { expect, it } from 'vitest'
import { BackendRejected, Conflict } from '../../lib/domain/errors.ts'
import { createHttpApp } from '../../lib/http/app.ts'
import { aRecordingApi, resultUri } from './recording-api.ts'

const ada = { id: 'ada', isAdmin: false }

function anApp(answers: Parameters<typeof aRecordingApi>[0] = {}) {
  const api = aRecordingApi(answers)
  const app = createHttpApp({ api, identify: () => ada })
  return { api, get: (path: string) => app.request(`/dispatches/3f2a${path}`) }
}

it('gives the bytes of a result as they are, with where they are', async () => {
  const bytes = new Uint8Array([0, 255, 10, 13, 195])
  const { api, get } = anApp({ readResult: async () => ({ uri: resultUri, bytes }) })
  const response = await get('/result')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/octet-stream')
  expect(response.headers.get('quench-result-uri')).toBe(resultUri)
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes)
  await get('/tasks/7/result')
  expect(api.calls.map(({ args }) => args)).toEqual([
    [ada, '3f2a'],
    [ada, '3f2a', 7],
  ])
})

it('gives a result that is empty', async () => {
  const { get } = anApp({ readResult: async () => ({ uri: resultUri, bytes: new Uint8Array() }) })
  expect(await (await get('/result')).text()).toBe('')
})

it('refuses a result that is too large with an error that says where it is', async () => {
  const { get } = anApp({ readResult: () => Promise.reject(new BackendRejected(`${resultUri} has 9 bytes`)) })
  const response = await get('/result')
  expect(response.status).toBe(422)
  expect(await response.json()).toMatchObject({ message: expect.stringContaining(resultUri) })
})

it('gives a log from its beginning, or from an offset', async () => {
  const { api, get } = anApp()
  expect(await (await get('/tasks/0/log')).json()).toEqual({
    attempt: 1,
    hasEnded: true,
    text: 'hello\n',
    nextOffset: 6,
  })
  await get('/tasks/3/log?stream=stderr&offset=4096')
  expect(api.calls.map(({ args }) => args.slice(1))).toEqual([
    ['3f2a', 0, { stream: 'stdout', offset: 0 }],
    ['3f2a', 3, { stream: 'stderr', offset: 4096 }],
  ])
})

it('answers 409 while a task has no job yet', async () => {
  const { get } = anApp({ readLog: () => Promise.reject(new Conflict('no job yet')) })
  expect((await get('/tasks/0/log')).status).toBe(409)
})

it.each([
  ['/tasks/x/result', 'taskId'],
  ['/tasks/-1/log', 'taskId'],
  ['/tasks/0/log?stream=both', 'stream'],
  ['/tasks/0/log?offset=-1', 'offset'],
])('names what is wrong with %s', async (path, problem) => {
  const response = await anApp().get(path)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ details: [{ path: problem }] })
})
