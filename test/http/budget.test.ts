import { expect, it } from 'vitest'
import { createHttpApp } from '../../lib/http/app.ts'
import { aBudget, aRecordingApi } from './recording-api.ts'

const ada = { id: 'ada', isAdmin: false }

function anApp() {
  const api = aRecordingApi()
  const app = createHttpApp({ api, identify: () => ada })
  const put = (body: unknown) => app.request('/dispatches/3f2a/budget', { method: 'PUT', body: JSON.stringify(body) })
  return { api, app, put }
}

it('shows what a dispatch has spent', async () => {
  const { api, app } = anApp()
  expect(await (await app.request('/dispatches/3f2a/budget')).json()).toEqual(aBudget())
  expect(api.calls).toEqual([{ method: 'describeBudget', args: [ada, '3f2a'] }])
})

it('gives a dispatch another budget', async () => {
  const { api, put } = anApp()
  const response = await put({ limitUsd: 20, warnAtUsd: 15 })
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ limitUsd: 20 })
  expect(api.calls).toEqual([{ method: 'setBudget', args: [ada, '3f2a', { limitUsd: 20, warnAtUsd: 15 }] }])
})

it.each([
  [{}, 'limitUsd'],
  [{ limitUsd: 0 }, 'limitUsd'],
  [{ limitUsd: '5' }, 'limitUsd'],
  [{ limitUsd: 5, warnAtUsd: 6 }, 'warnAtUsd'],
  [{ limitUsd: 5, warnUsd: 4 }, '(the whole input)'],
])('refuses %j, and names the place', async (body, path) => {
  const { api, put } = anApp()
  const response = await put(body)
  expect(response.status).toBe(400)
  const { details } = (await response.json()) as { details: { path: string }[] }
  expect(details.map((one) => one.path)).toEqual([path])
  expect(api.calls).toEqual([])
})
