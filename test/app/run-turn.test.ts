import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runTurn } from '../../lib/app/run-turn.ts'
import { startDispatch } from '../../lib/app/submit/submit-dispatch.ts'
import { nothingSettled, reopen, settle } from '../../lib/domain/settled.ts'
import { type LocalDynamo, startLocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { anAppContext } from '../support/app-context.ts'
import { aGraph, someTime } from '../support/builders.ts'

let dynamo: LocalDynamo
let made = 0

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

type Place = Pick<Parameters<typeof startDispatch>[2], 'parent'>

/** A dispatch with one job on Batch, for a cent a second, that has just started; and what its turns log. */
async function aRunningJob(place: Place = {}) {
  const id = `00000000-0000-4000-8000-${String(made++).padStart(12, '0')}`
  const { context, store } = anAppContext(dynamo)
  const logged: Readonly<Record<string, unknown>>[] = []
  await startDispatch(context, aGraph([{ executor: 'batch' }]), { id, owner: 'ada', tags: {}, ...place })
  const attempt = { taskId: 0, attempt: 1 }
  await store.claim(id, { ...attempt, claimId: id, executor: 'batch', at: someTime })
  await store.storeHandle(id, attempt, { id: 'job' }, someTime)
  await store.noteRun(id, attempt, { state: 'running', startedAt: someTime })
  const priceOf = () => ({ perSecondUsd: 0.01, minimumSeconds: 0, commitUsd: 0 })
  const turnAt = (second: number) => {
    const now = () => someTime + second * 1000
    const log = (line: (typeof logged)[number]) => logged.push(line)
    return runTurn({ ...context, now, log, policy: { ...context.policy, priceOf } }, id, 1)
  }
  const end = (second: number) => store.noteRun(id, attempt, { state: 'succeeded', endedAt: someTime + second * 1000 })
  const spent = () => logged.filter(({ decision }) => decision === 'spend').map(({ spentUsd }) => Number(spentUsd))
  return { turnAt, end, spent }
}

describe('a turn tells the meter', () => {
  test('what was spent since it told last, so that the sum is what was spent', async () => {
    const { turnAt, end, spent } = await aRunningJob()
    for (const second of [30, 60, 100]) await turnAt(second)
    expect(spent().map((usd) => usd.toFixed(2))).toEqual(['0.30', '0.30', '0.40'])
    await end(120)
    await turnAt(121)
    expect(spent().reduce((sum, usd) => sum + usd, 0)).toBeCloseTo(1.2, 10)
  })

  test('nothing in a turn that writes nothing: the next tells more', async () => {
    const { turnAt, spent } = await aRunningJob()
    await turnAt(30)
    await turnAt(45)
    expect(spent()).toHaveLength(1)
    await turnAt(60)
    expect(spent().reduce((sum, usd) => sum + usd, 0)).toBeCloseTo(0.6, 10)
  })

  test('nothing of a child, whose spend is in its parent’s', async () => {
    const { turnAt, spent } = await aRunningJob({ parent: { dispatchId: 'p', taskId: 0, attempt: 1, depth: 1 } })
    await turnAt(30)
    expect(spent()).toEqual([])
  })
})

test('a turn that is overtaken by a redrive leaves the new attempt in the live index', async () => {
  const id = `00000000-0000-4000-8000-${String(made++).padStart(12, '0')}`
  const { context, store } = anAppContext(dynamo)
  await startDispatch(context, aGraph([{ executor: 'batch' }, { executor: 'batch' }]), { id, owner: 'ada', tags: {} })
  const settled = settle({ settled: nothingSettled(2) }, new Map([[0, 'failed'] as const]), 2)
  await store.commitTurn(id, 1, settled)
  const redriveAndClaim = async () => {
    const reopened = { failed: 1, cancelled: 0, skipped: 0 }
    const drive = { ...reopen(settled, [0]), redrives: 1, redriveKey: 'again', reopened, drivenAt: someTime }
    expect(await store.redrive(id, 2, drive)).toBe(true)
    const claim = { taskId: 0, attempt: 1, claimId: 'new', executor: 'batch', at: someTime, redrive: 1 }
    expect(await store.claim(id, claim)).toBe(true)
  }
  const readLive: typeof store.readLive = async (dispatchId) => {
    await redriveAndClaim()
    return store.readLive(dispatchId)
  }
  await runTurn({ ...context, store: { ...store, readLive } }, id, 1)
  expect(await store.readLive(id)).toMatchObject([{ id: 0, claimId: 'new' }])
})
