import { randomUUID } from 'node:crypto'
import type { BraketClient } from '@aws-sdk/client-braket'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { act } from '../../../lib/app/act/act.ts'
import { startDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import { createBraketTaskExecutor } from '../../../lib/back-ends/braket/executor.ts'
import { createBraketJobExecutor } from '../../../lib/back-ends/braket-job/executor.ts'
import type { Executor } from '../../../lib/back-ends/executor.ts'
import type { Clock } from '../../../lib/back-ends/pace.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aFence, aGraph, someTime } from '../../support/builders.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** Lets everything go on until nothing does. */
const settle = async () => {
  for (let round = 0; round < 500; round++) await new Promise(setImmediate)
}

interface Made {
  /** The requests so far. */
  readonly names: string[]
  readonly clock: Clock
  /** Lets the clock go on by a sleep, as soon as nothing else does. */
  tick(): Promise<void>
}

function aClock(): Made {
  let now = 0
  const asleep: { until: number; wake: () => void }[] = []
  return {
    names: [],
    clock: {
      now: () => now,
      sleep: (ms) => new Promise((wake) => asleep.push({ until: now + ms, wake })),
    },
    tick: async () => {
      await settle()
      const next = asleep.sort((a, b) => a.until - b.until).shift()
      if (!next) return
      now = Math.max(now, next.until)
      next.wake()
      await settle()
    },
  }
}

const output = { bucket: 'bucket', keyPrefix: 'braket' }

const backends: readonly {
  name: string
  count: number
  options: object
  create(made: Made, braketIn: () => Pick<BraketClient, 'send'>): Executor
}[] = [
  {
    name: 'braket-job',
    count: 45,
    options: { image: 'image' },
    create: ({ clock }, braketIn) => createBraketJobExecutor({ braketIn, output, roleArn: 'arn:role', clock }),
  },
  {
    name: 'braket',
    count: 90,
    options: { programUri: 's3://bucket/program' },
    create: ({ clock }, braketIn) =>
      createBraketTaskExecutor({
        braketIn,
        output,
        clock,
        readText: async () => {
          await clock.sleep(1)
          return 'qubit q;'
        },
      }),
  },
]

test.each(backends)('of $count tasks on $name that wait for its quota none is made after a cancel', async (backend) => {
  const made = aClock()
  const send = async ({ constructor: { name } }: { constructor: { name: string } }) => {
    made.names.push(name)
    return { jobArn: `arn:${made.names.length}`, quantumTaskArn: `arn:${made.names.length}` }
  }
  const executor = backend.create(made, () => ({ send: send as unknown as BraketClient['send'] }))
  const dispatchId = randomUUID()
  const { context, store } = anAppContext(dynamo)
  const options = executor.optionsSchema.parse(backend.options)
  const task = { executor: backend.name, options }
  await startDispatch(context, aGraph(Array(backend.count).fill(task)), { id: dispatchId, owner: 'ada', tags: {} })
  const chunk = executor.chunk.submit
  const done = Promise.all(
    Array.from({ length: Math.ceil(backend.count / chunk) }, (_, n) => {
      const ids = Array.from({ length: Math.min(chunk, backend.count - n * chunk) }, (_, m) => n * chunk + m)
      const tasks = ids.map((taskId) => ({ taskId, attempt: 1 }))
      const executors = new Map([[backend.name, executor]])
      return act({ ...context, executors }, dispatchId, { kind: 'submit', executor: backend.name, epoch: 1, tasks })
    }),
  )
  let isDone = false
  void done.finally(() => {
    isDone = true
  })
  for (let n = 0; n < 6; n++) await made.tick()
  const before = made.names.length
  expect(before).toBeGreaterThan(0)
  expect(before).toBeLessThan(backend.count)
  await store.writeFence(dispatchId, aFence({ scope: 'all', at: someTime }), { epoch: 1, isDrain: true })
  while (!isDone) await made.tick()
  await done
  expect(made.names.filter((name) => name.startsWith('Create')).length).toBe(before)
  expect(await store.readLive(dispatchId)).toHaveLength(before)
})
