import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../../lib/app/context.ts'
import { createApi } from '../../../lib/app/create-api.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import { Conflict, NotFound } from '../../../lib/domain/errors.ts'
import type { Task } from '../../../lib/domain/graph/graph.ts'
import type { Outcome, RunState } from '../../../lib/domain/task-run.ts'
import type { LocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aDispatch, aGraph, someTime } from '../../support/builders.ts'

const ada = { id: 'ada', isAdmin: false }

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

interface Scene {
  readonly tasks: readonly Partial<Task>[]
  readonly outcomes?: Readonly<Record<number, Outcome>>
  /** The one task that was ever claimed. */
  readonly run?: { readonly id: number; readonly state: RunState; readonly handle?: Record<string, string> }
  /** What is behind every URI. */
  readonly stored?: string
  readonly graphResultUri?: string
}

async function aScene({ tasks, outcomes = {}, run, stored, graphResultUri }: Scene) {
  const { context, store } = anAppContext(dynamo)
  const id = context.newId()
  const graph = { ...aGraph(tasks), ...(graphResultUri !== undefined && { resultUri: graphResultUri }) }
  await store.createDispatch(aDispatch({ id, taskCount: tasks.length, outcomes }), graph)
  if (run) {
    const executor = tasks[run.id]?.executor ?? 'batch'
    const claim = { taskId: run.id, attempt: 1, claimId: 'c', executor, at: someTime }
    await store.claim(id, claim)
    if (run.handle) await store.storeHandle(id, claim, run.handle, someTime)
    await store.noteRun(id, claim, { state: run.state })
  }
  const readLog: Executor['readLog'] = async (handle, { stream, offset }) => ({
    text: `${handle.id} ${stream} ${offset}`,
    nextOffset: offset + 5,
  })
  const batch = { ...(context.executors.get('batch') as Executor), readLog }
  const answering: Context = {
    ...context,
    executors: new Map([...context.executors, ['batch', batch]]),
    readResult: async () => (stored === undefined ? undefined : new TextEncoder().encode(stored)),
  }
  const api = createApi(answering)
  return {
    id,
    result: (taskId?: number) => api.readResult(ada, id, taskId),
    log: (taskId: number) => api.readLog(ada, id, taskId, { stream: 'stdout', offset: 7 }),
    asStranger: () => api.readResult({ id: 'bob', isAdmin: false }, id),
  }
}

const done = { outcomes: { 0: 'succeeded' }, run: { id: 0, state: 'succeeded' } } as const

describe('a result', () => {
  test('of a task is what its last attempt has left', async () => {
    const { result, id } = await aScene({ tasks: [{}], ...done, stored: 'π' })
    const { uri, bytes } = await result(0)
    expect(uri).toBe(`file:///results/${id}/0/1`)
    expect(new TextDecoder().decode(bytes)).toBe('π')
  })

  test('of a dispatch is that of its post-processing task', async () => {
    const tasks = [{ postProcess: true }]
    expect((await (await aScene({ tasks, ...done, stored: '1' })).result()).bytes).toHaveLength(1)
    const child = await aScene({ tasks, ...done, stored: '1', graphResultUri: 'file:///of/its/parent' })
    expect((await child.result()).uri).toBe('file:///of/its/parent')
  })

  test.each<[string, Scene, number | undefined, string]>([
    ['there is no post-processing task', { tasks: [{}], ...done }, undefined, 'has no post-processing task'],
    [
      'the task has not ended',
      { tasks: [{}], run: { id: 0, state: 'running', handle: {} } },
      0,
      'has no result: it is running',
    ],
    ['the task was never begun', { tasks: [{ name: 'a' }] }, 0, 'task a has no result: it is pending'],
    ['the task left none', { tasks: [{}], ...done }, 0, 'has succeeded, but it left no result at file:///results/'],
    [
      'a dispatch inside left none',
      { tasks: [{ executor: 'sublattice' }], ...done },
      0,
      'but the post-processing of its dispatch left no result',
    ],
    ['there is no such task', { tasks: [{}] }, 5, 'has no task 5'],
  ])('is not found when %s, and it says so', async (_, scene, taskId, words) => {
    const { result } = await aScene(scene)
    await expect(result(taskId)).rejects.toThrow(words)
    await expect(result(taskId)).rejects.toBeInstanceOf(NotFound)
  })

  test('is not for others', async () => {
    await expect((await aScene({ tasks: [{}] })).asStranger()).rejects.toBeInstanceOf(NotFound)
  })
})

describe('a log', () => {
  const handle = { id: 'job-7' }

  test('is what the back end says of the job, with whether more may come', async () => {
    const running = await aScene({ tasks: [{}], run: { id: 0, state: 'running', handle } })
    expect(await running.log(0)).toEqual({ attempt: 1, hasEnded: false, text: 'job-7 stdout 7', nextOffset: 12 })
    const ended = await aScene({ tasks: [{}], outcomes: { 0: 'failed' }, run: { id: 0, state: 'failed', handle } })
    expect(await ended.log(0)).toMatchObject({ hasEnded: true })
  })

  test('of a task that has no job yet is a conflict, since it may have one soon', async () => {
    const { log } = await aScene({ tasks: [{ name: 'a' }] })
    await expect(log(0)).rejects.toBeInstanceOf(Conflict)
    await expect(log(0)).rejects.toThrow('task a has no job yet: it is pending')
  })

  test('of a task that never had a job is not found', async () => {
    const { log } = await aScene({ tasks: [{ name: 'a' }], outcomes: { 0: 'skipped' } })
    await expect(log(0)).rejects.toThrow('task a never had a job, so there is no log: it was skipped')
  })

  test('of a sublattice is in the dispatch behind it', async () => {
    const tasks = [{ name: 'inner', executor: 'sublattice' }]
    const { log } = await aScene({ tasks, run: { id: 0, state: 'running', handle: { dispatchId: 'c1' } } })
    await expect(log(0)).rejects.toThrow('the job of task inner is dispatch c1: look at the logs of its tasks')
  })

  test('of a back end that keeps none is not found', async () => {
    const { log } = await aScene({ tasks: [{ executor: 'ssh' }], run: { id: 0, state: 'running', handle } })
    await expect(log(0)).rejects.toThrow('ssh keeps no log that Quench can read')
  })
})
