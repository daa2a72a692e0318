import { afterAll, beforeAll, expect, test } from 'vitest'
import { cancelDispatch } from '../../../lib/app/cancel/cancel-dispatch.ts'
import { submitDispatch } from '../../../lib/app/submit/submit-dispatch.ts'
import { Conflict } from '../../../lib/domain/errors.ts'
import type { Fence } from '../../../lib/domain/fence.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../../support/app-context.ts'

let dynamo: LocalDynamo
beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const ada = { id: 'ada', isAdmin: false }
/** As long as reasons may be, of characters of three bytes. */
const order = { reason: '…'.repeat(1024), mode: 'force', graceSeconds: 0, dryRun: false } as const

/** As DynamoDB counts: names and texts in UTF-8, binary values as they are. An item may have 400 KB. */
function sizeOf({ scope, ...rest }: Fence): number {
  return Buffer.byteLength(JSON.stringify(rest)) + scope.length
}

const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0)

test.each<[string, number, readonly number[] | undefined, RegExp]>([
  ['all of a dispatch', 1, undefined, /was cancelled 100 times already, and is being stopped/],
  ['parts of the largest dispatch', 10_000, [0], /parts of this dispatch were cancelled 100 times already/],
])('cancelling %s again and again leaves room for its end', async (_, taskCount, taskIds, refusal) => {
  const { context, store } = anAppContext(dynamo)
  const tasks = Array.from({ length: taskCount }, (_, n) => ({ name: `task-${n}`, executor: 'batch' }))
  const { dispatchId } = await submitDispatch(context, ada, { name: 'some', tasks })
  const errors: unknown[] = []
  for (let n = 0; n < 150; n++)
    await cancelDispatch(context, ada, dispatchId, { ...order, taskIds }, { source: 'api' }).catch((error) => {
      errors.push(error)
    })
  expect(errors).toHaveLength(50)
  expect(errors.every((error) => error instanceof Conflict && refusal.test(error.message))).toBe(true)
  const { fences = {} } = (await store.readDispatch(dispatchId)) ?? {}
  expect(sum(Object.values(fences).map(sizeOf))).toBeLessThan(350 * 1024)
})
