import { randomUUID } from 'node:crypto'
import { act } from '../../../lib/app/act/act.ts'
import { startDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import type { LocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { createDynamoStore } from '../../../lib/store/dynamo/dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'
import { aGraph } from '../../support/builders.ts'
import { createFakeBackend } from '../../support/fake-backend.ts'
import { createRandom } from '../../support/random.ts'

/** Submit a pack of `count`, where the table refuses writes of task 7 as often as `refusals` says. */
export async function submitPackOf(dynamo: LocalDynamo, count: number, refusals: number, errorName: string) {
  let left = refusals
  const send = (command: { input: { Key?: { sk?: string } }; constructor: { name: string } }) => {
    const isOfTask7 = command.constructor.name === 'UpdateCommand' && command.input.Key?.sk === 'TASK#00007'
    if (!isOfTask7 || left <= 0) return dynamo.client.send(command as never)
    left -= 1
    return Promise.reject(Object.assign(new Error('slow down'), { name: errorName }))
  }
  const { context } = anAppContext(dynamo)
  const batch = createFakeBackend({
    name: 'batch',
    packs: true,
    random: createRandom(0),
    faultProbability: () => 0,
    pass: (_, effect) => effect(),
    onSubmit: () => {},
    onCancel: () => {},
  })
  const dispatchId = randomUUID()
  const graph = aGraph(Array.from({ length: count }, () => ({ pack: 'all' })))
  await startDispatch(context, graph, { id: dispatchId, owner: 'ada', tags: {} })
  const store = createDynamoStore({ send } as never, dynamo.tableName)
  const action = { kind: 'submit', executor: 'batch', epoch: 1, pack: 'all', tasks: [] } as const
  await act({ ...context, store, executors: new Map([['batch', batch]]) }, dispatchId, action)
  const runs = await context.store.readLive(dispatchId)
  return { elements: batch.jobs.map(({ pack }) => pack?.name), runs }
}
