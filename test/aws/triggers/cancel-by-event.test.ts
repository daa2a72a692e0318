import { afterAll, beforeAll, expect, test } from 'vitest'
import { submitDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import { cancelByEvent } from '../../../lib/aws/triggers/cancel-by-event.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const account = '111122223333'
const watched = { triggers: [{ kind: 'request' as const }], account }
const requestFor = (dispatchId: string) => ({
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Quench Cancel Request',
  source: 'lab.scheduler',
  account,
  detail: { dispatchId },
})

test('a request that meets a dispatch which keeps changing is an error, so that its event comes again', async () => {
  const { context, store } = anAppContext(dynamo)
  const graph = { name: 'some', tasks: [{ name: 'only', executor: 'batch' }] }
  const { dispatchId } = await submitDispatch(context, { id: 'ada', isAdmin: false }, graph)
  const changing = { ...context, store: { ...store, writeFence: async () => false } }
  await expect(cancelByEvent(changing, watched, requestFor(dispatchId))).rejects.toThrow('keeps changing')
  expect(await cancelByEvent(context, watched, requestFor(dispatchId))).toMatchObject([{ counts: { abandoned: 1 } }])
})

test('a request for what there is not is an entry of the answer: it would come again for ever', async () => {
  const { context } = anAppContext(dynamo)
  const dispatchId = '00000000-0000-4000-8000-000000000000'
  expect(await cancelByEvent(context, watched, requestFor(dispatchId))).toMatchObject([
    { dispatchId, code: 'NotFound' },
  ])
})
