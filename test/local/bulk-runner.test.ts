import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeBulk } from '../../lib/app/bulk/describe-bulk.ts'
import { startBulk } from '../../lib/app/bulk/start-bulk.ts'
import type { Context } from '../../lib/app/context.ts'
import { submitDispatch } from '../../lib/app/submit/submit-dispatch.ts'
import { type LocalDynamo, startLocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { createLocalBulkRunner } from '../../lib/local/bulk-runner.ts'
import { until } from '../e2e/a-region.ts'
import { anAppContext } from '../support/app-context.ts'

let dynamo: LocalDynamo
let made = 0

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** Dispatches of an owner of their own, and a runner whose cancels go by `start`. */
async function aWorld(count: number) {
  const { context } = anAppContext(dynamo)
  const ada = { id: `ada-${made++}`, isAdmin: false }
  const graph = { name: 'some', tasks: [{ name: 'only', executor: 'batch' }] }
  const ids: string[] = []
  for (let n = 0; n < count; n++) ids.push((await submitDispatch(context, ada, graph)).dispatchId)
  const runnerOver = (start: (id: string) => Promise<void>) => {
    const runner = createLocalBulkRunner(() => own)
    const own: Context = { ...context, bulkRunner: runner, executions: { ...context.executions, start } }
    return { runner, context: own }
  }
  const order = { where: { owner: 'me' }, mode: 'graceful', graceSeconds: 30, reason: 'enough', dryRun: false } as const
  const cancel = async (own: Context) => (await startBulk(own, ada, order, { source: 'api' })).bulkId ?? ''
  const view = (bulkId: string) => describeBulk(context, ada, bulkId, { limit: 100 })
  const isOver = async (bulkId: string) => (await context.bulks.read(bulkId))?.ended !== undefined
  return { context, ids, runnerOver, cancel, view, isOver }
}

describe('the runner in this process', () => {
  test('goes on by itself, and one slow dispatch holds up no other', async () => {
    const { ids, runnerOver, cancel, view, isOver } = await aWorld(20)
    const slow = Promise.withResolvers<void>()
    const { runner, context } = runnerOver((id) => (id === ids[0] ? slow.promise : Promise.resolve()))
    const bulkId = await cancel(context)
    await until('all but one', async () => (await view(bulkId)).done === 19)
    expect(await isOver(bulkId)).toBe(false)
    slow.resolve()
    await until('all of them', () => isOver(bulkId))
    expect(await view(bulkId)).toMatchObject({ state: 'done', done: 20, failed: 0 })
    await runner.close()
  })

  test('tries again what has failed for now', async () => {
    const { runnerOver, cancel, view, isOver } = await aWorld(1)
    let failures = 1
    const { runner, context } = runnerOver(async () => {
      if (failures-- > 0) throw new Error('not now')
    })
    const bulkId = await cancel(context)
    await until('its end', () => isOver(bulkId))
    expect(await view(bulkId)).toMatchObject({ done: 1, failed: 0 })
    await runner.close()
  })

  test('that has died is followed by one that finishes its work, and cancels nothing twice', async () => {
    const { context, ids, runnerOver, cancel, view, isOver } = await aWorld(3)
    const never = new Promise<void>(() => {})
    const first = runnerOver((id) => (id === ids[1] ? never : Promise.resolve()))
    const bulkId = await cancel(first.context)
    await until('the others', async () => (await view(bulkId)).done === 2)
    const second = runnerOver(() => Promise.resolve())
    await second.runner.start()
    await until('its end', () => isOver(bulkId))
    expect(await view(bulkId)).toMatchObject({ done: 3, failed: 0 })
    for (const id of ids) expect(await context.store.listCancellations(id)).toHaveLength(1)
    await second.runner.close()
  })

  test('that is closed begins nothing more', async () => {
    const { runnerOver, cancel, view } = await aWorld(20)
    const gate = Promise.withResolvers<void>()
    const { runner, context } = runnerOver(() => gate.promise)
    const bulkId = await cancel(context)
    const closed = runner.close()
    gate.resolve()
    await closed
    expect((await view(bulkId)).done).toBeLessThan(20)
  })
})
