import { randomUUID } from 'node:crypto'
import type { Context } from '../../lib/app/context.ts'
import { defaultPolicy } from '../../lib/domain/turn/policy.ts'
import type { LocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { createDynamoStore } from '../../lib/store/dynamo/dynamo.ts'
import { createDynamoBulks } from '../../lib/store/dynamo/dynamo-bulks.ts'
import { someTime } from './builders.ts'
import { createFakeBackend } from './fake-backend.ts'
import { createRandom } from './random.ts'

/** The use cases over the real store, with back ends without faults, a clock that stands, and loops that only note. */
export function anAppContext(dynamo: LocalDynamo) {
  /** What was asked of the loops: `start <id> <epoch>`, `stop <id> <epoch>`, `wake <id>`. */
  const asked: string[] = []
  const backends = ['batch', 'ssh'].map((name) =>
    createFakeBackend({
      name,
      random: createRandom(0),
      faultProbability: () => 0,
      pass: (_, effect) => effect(),
      onSubmit: () => {},
      onCancel: () => {},
    }),
  )
  const context: Context = {
    store: createDynamoStore(dynamo.client, dynamo.tableName),
    bulks: createDynamoBulks(dynamo.client, dynamo.tableName),
    bulkRunner: { enqueue: async () => {} },
    executors: new Map(backends.map((backend) => [backend.name, backend])),
    executions: {
      start: async (id, epoch) => {
        asked.push(`start ${id} ${epoch}`)
      },
      stop: async (id, epoch) => {
        asked.push(`stop ${id} ${epoch}`)
      },
      wake: async (id) => {
        asked.push(`wake ${id}`)
      },
    },
    policy: defaultPolicy,
    now: () => someTime,
    sleep: () => new Promise(() => {}),
    deadlineAt: (at) => ({ at, signal: new AbortController().signal }),
    newId: () => randomUUID(),
    resultUri: (dispatchId, taskId, attempt) => `file:///results/${dispatchId}/${taskId}/${attempt}`,
    readResult: async () => undefined,
    writeText: async () => {},
    concurrency: 4,
    log: () => {},
  }
  return { context, store: context.store, asked }
}
