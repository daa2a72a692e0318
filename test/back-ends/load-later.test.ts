import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Executor, ExecutorFacts, JobQuery, SoughtJob } from '../../lib/back-ends/executor.ts'
import { loadLater } from '../../lib/back-ends/load-later.ts'

const packingFacts = { problem: () => undefined, mayDifferInNeeds: true }
const facts: ExecutorFacts = {
  name: 'echo',
  optionsSchema: z.record(z.string(), z.json()),
  handleSchema: z.record(z.string(), z.json()),
  adopts: true,
  iamActions: [],
  chunk: { submit: 1, poll: 1, cancel: 1 },
  packing: packingFacts,
}
const query: JobQuery = { name: 'quench-a-0-1', dispatchId: 'a', taskId: 0, attempt: 1, options: {} }
const job = { ...query, environment: {} }
const sought: SoughtJob = { ...query, madeBetween: [0, 1] }

/** Answers every verb with its name, and what it was asked. */
function anEcho() {
  const asked: unknown[][] = []
  const echo =
    (verb: string) =>
    async (...args: unknown[]) => {
      asked.push([verb, ...args])
      return { verb } as never
    }
  const executor: Executor = {
    ...facts,
    submit: echo('submit'),
    prepare: echo('prepare'),
    find: echo('find'),
    poll: echo('poll'),
    cancel: echo('cancel'),
    forestall: echo('forestall'),
    readLog: echo('readLog'),
    listJobs: echo('listJobs'),
    packing: { ...packingFacts, submit: echo('packing.submit'), find: echo('packing.find') },
  }
  return { executor, asked }
}

function aLater(verbs: Parameters<typeof loadLater>[1]) {
  const { executor, asked } = anEcho()
  let loads = 0
  const later = loadLater(facts, verbs, async () => {
    loads += 1
    return executor
  })
  return { later, asked, loads: () => loads }
}

test('every verb reaches the executor with what it was given, and the executor is loaded once', async () => {
  const { later, asked, loads } = aLater(['forestall', 'readLog', 'listJobs'])
  expect(loads()).toBe(0)
  const request = { mode: 'force', reason: 'why' } as const
  const place = { stream: 'stdout', offset: 7 } as const
  const deadline = { at: 1, signal: new AbortController().signal }
  const answers = await Promise.all([
    later.submit(job, deadline),
    later.prepare?.(job, deadline),
    later.find([sought], deadline),
    later.poll([{ id: 1 }], deadline),
    later.cancel([{ id: 1 }], request, deadline),
    later.forestall?.(query, deadline),
    later.readLog?.({ id: 1 }, place, deadline),
    later.listJobs?.(deadline),
    later.packing?.submit([job], 'pack', deadline),
    later.packing?.find([query], 'pack', deadline),
  ])
  const expected = [
    ['submit', job, deadline],
    ['prepare', job, deadline],
    ['find', [sought], deadline],
    ['poll', [{ id: 1 }], deadline],
    ['cancel', [{ id: 1 }], request, deadline],
    ['forestall', query, deadline],
    ['readLog', { id: 1 }, place, deadline],
    ['listJobs', deadline],
    ['packing.submit', [job], 'pack', deadline],
    ['packing.find', [query], 'pack', deadline],
  ]
  expect(asked).toEqual(expected)
  expect(answers).toEqual(expected.map(([verb]) => ({ verb })))
  expect(loads()).toBe(1)
})

test('an executor whose submit needs no preparation is loaded before it all the same', async () => {
  const { executor, asked } = anEcho()
  const { prepare: _, ...unprepared } = executor
  let loads = 0
  const later = loadLater(facts, [], async () => {
    loads += 1
    return unprepared
  })
  const submit = await later.prepare?.(job)
  expect(loads).toBe(1)
  expect(asked).toEqual([])
  expect(await submit?.()).toEqual({ verb: 'submit' })
  expect(asked).toEqual([['submit', job, undefined]])
})

test('a verb that it is not said to have is not there', () => {
  const { later } = aLater(['forestall'])
  expect(Object.keys(later)).toContain('forestall')
  expect(Object.keys(later)).not.toContain('readLog')
  expect(Object.keys(later)).not.toContain('listJobs')
})

test('what its code throws comes through', async () => {
  const later = loadLater(facts, [], async () => ({
    ...anEcho().executor,
    poll: () => Promise.reject(new Error('down')),
  }))
  await expect(later.poll([])).rejects.toThrow('down')
})
