import { afterAll, beforeAll, expect, test } from 'vitest'
import { noteJobNews } from '../../../lib/app/act/note-job-news.ts'
import type { JobNews, Observation } from '../../../lib/back-ends/executor.ts'
import type { LocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aDispatch, aGraph, someId, someTime } from '../../support/builders.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** A dispatch of three tasks; those that are named are submitted as `job-<id>`. */
async function aScene(submitted: readonly number[] = [0, 1]) {
  const { context, store, asked } = anAppContext(dynamo)
  const id = context.newId()
  await store.createDispatch(aDispatch({ id, taskCount: 3 }), aGraph([{}, {}, {}]))
  const claimed = [0, 1].map((taskId) => ({
    taskId,
    attempt: 1,
    claimId: `c-${taskId}`,
    executor: 'batch',
    at: someTime,
  }))
  for (const claim of claimed) {
    await store.claim(id, claim)
    if (submitted.includes(claim.taskId)) await store.storeHandle(id, claim, { id: `job-${claim.taskId}` }, someTime)
  }
  const news = (taskId: number, seen: Observation, { job = `job-${taskId}`, attempt = 1 } = {}): JobNews => ({
    ref: { dispatchId: id, taskId, attempt },
    seen,
    isOf: (handle) => handle.id === job,
  })
  return {
    context,
    asked,
    id,
    claimed,
    news,
    store,
    note: (...told: JobNews[]) => noteJobNews(context, told),
    stateOf: async (taskId: number) => (await store.readRuns(id, [taskId]))[0]?.state,
    history: async () => (await store.listHistory(id, { limit: 100 })).items.flatMap(({ lines }) => lines),
  }
}

test('news is written down, told in the history, and wakes the loop once for all of it', async () => {
  const { note, news, stateOf, history, asked, id } = await aScene()
  await note(news(0, { state: 'running', startedAt: 1 }), news(1, { state: 'succeeded', endedAt: 2 }))
  expect([await stateOf(0), await stateOf(1)]).toEqual(['running', 'succeeded'])
  expect((await history()).sort()).toEqual(['task-0 running', 'task-1 succeeded'])
  expect(asked).toEqual([`wake ${id}`])
})

test('news that comes twice changes nothing, and wakes nobody', async () => {
  const { note, news, history, asked } = await aScene()
  const ended = news(0, { state: 'succeeded', endedAt: 2 })
  await note(ended, ended)
  await note(ended)
  expect(await history()).toEqual(['task-0 succeeded'])
  expect(asked).toHaveLength(1)
})

test('news that comes late takes nothing back', async () => {
  const { note, news, stateOf, store, id } = await aScene()
  await note(news(0, { state: 'succeeded', endedAt: 2 }))
  for (const state of ['queued', 'running', 'failed', 'cancelled'] as const) await note(news(0, { state, endedAt: 9 }))
  expect(await stateOf(0)).toBe('succeeded')
  expect((await store.readRuns(id, [0]))[0]?.endedAt).toBe(2)
})

test('of news out of order in one delivery, the end counts', async () => {
  const { note, news, stateOf } = await aScene()
  const failed = { code: 'ExitCode', message: 'exit 3', retryable: false, source: 'batch' }
  await note(
    news(0, { state: 'failed', endedAt: 2, failure: failed }),
    news(0, { state: 'running', startedAt: 1 }),
    news(0, { state: 'queued' }),
  )
  expect(await stateOf(0)).toBe('failed')
})

test('of news that is no end, the last counts', async () => {
  const { note, news, stateOf } = await aScene()
  await note(news(0, { state: 'queued' }), news(0, { state: 'running', startedAt: 1 }))
  expect(await stateOf(0)).toBe('running')
})

test('news of a twin is not about our job', async () => {
  const { note, news, stateOf, asked } = await aScene()
  await note(news(0, { state: 'failed' }, { job: 'twin' }))
  expect(await stateOf(0)).toBe('queued')
  await note(news(0, { state: 'failed' }, { job: 'twin' }), news(0, { state: 'running' }))
  expect(await stateOf(0)).toBe('running')
  expect(asked).toHaveLength(1)
})

test('news of an earlier attempt is not about the one that runs', async () => {
  const { note, news, stateOf, store, id, claimed } = await aScene()
  await store.noteRun(id, claimed[0] as { taskId: number; attempt: number }, { state: 'lost' })
  const again = { taskId: 0, attempt: 2, claimId: 'again', executor: 'batch', at: someTime }
  await store.claim(id, again)
  await store.storeHandle(id, again, { id: 'job-0b' }, someTime)
  await note(news(0, { state: 'succeeded' }))
  await note(news(0, { state: 'succeeded' }, { job: 'job-0b', attempt: 1 }))
  expect(await stateOf(0)).toBe('queued')
  await note(news(0, { state: 'succeeded' }, { job: 'job-0b', attempt: 2 }))
  expect(await stateOf(0)).toBe('succeeded')
})

test('news before the handle is stored is dropped: the next poll says the same', async () => {
  const { note, news, stateOf, asked } = await aScene([])
  await note(news(0, { state: 'succeeded' }))
  expect(await stateOf(0)).toBe('submitting')
  expect(asked).toEqual([])
})

test('news about what is not there is passed over, and the rest of the delivery is not', async () => {
  const { note, news, stateOf, asked, id } = await aScene()
  const stranger = { ...news(0, { state: 'failed' }), ref: { dispatchId: someId, taskId: 0, attempt: 1 } }
  await note(stranger, news(2, { state: 'failed' }), news(77, { state: 'failed' }), news(1, { state: 'running' }))
  expect(await stateOf(1)).toBe('running')
  expect(await stateOf(2)).toBeUndefined()
  expect(asked).toEqual([`wake ${id}`])
})
