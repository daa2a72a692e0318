import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InvalidInput } from '../../lib/domain/errors.ts'
import type { Fence } from '../../lib/domain/fence.ts'
import { outcomeOf, settle } from '../../lib/domain/settled.ts'
import type { TaskRun } from '../../lib/domain/task-run.ts'
import type { Claim, RunChange, Store } from '../../lib/store/store.ts'
import { aCancellation, aDispatch, aFence, aGraph, aScope, someTime } from '../support/builders.ts'

let made = 0

/** An id of its own for each test, which begins with eight digits of its own. */
export const aNewId = () => `${String(++made).padStart(8, '0')}-0000-8000-8000-000000000000`

export const handle = { jobId: 'j-1', place: { index: 3 }, flags: [true, null] }
const failure = { code: 'ExitCode', message: 'exit 3', retryable: false, source: 'batch' }
const part = { epoch: 1, isDrain: false }
const otherFailure = { ...failure, message: 'something else' }

/** What every store must hold. `start` gives an empty one. */
export function describeStore(name: string, start: () => Promise<{ store: Store; stop: () => Promise<void> }>): void {
  describe(`${name}:`, () => {
    let store: Store
    let stop: () => Promise<void>

    beforeAll(async () => {
      const started = await start()
      store = started.store
      stop = started.stop
    })
    afterAll(() => stop())

    /** A stored dispatch of `taskCount` tasks. */
    const aStored = async (changes: Parameters<typeof aDispatch>[0] = {}) => {
      const dispatch = aDispatch({ id: aNewId(), taskCount: 3, ...changes })
      const graph = aGraph(Array.from({ length: dispatch.taskCount }, () => ({})))
      expect(await store.createDispatch(dispatch, graph)).toBe(true)
      return { id: dispatch.id, dispatch, graph }
    }

    const aClaim = (changes: Partial<Claim> = {}): Claim => ({
      taskId: 0,
      attempt: 1,
      claimId: `claim-${++made}`,
      executor: 'batch',
      at: someTime,
      ...changes,
    })

    const claimed = async (id: string, changes: Partial<Claim> = {}) => {
      const claim = aClaim(changes)
      expect(await store.claim(id, claim)).toBe(true)
      return claim
    }

    /** A job that is queued, and then whatever the change says. */
    const submitted = async (id: string, changes: Partial<Claim> = {}, change?: RunChange) => {
      const claim = await claimed(id, changes)
      expect(await store.storeHandle(id, claim, handle, someTime + 1)).toBe(true)
      if (change) expect(await store.noteRun(id, claim, change)).toBe(true)
      return claim
    }

    const runOf = async (id: string, taskId = 0) => (await store.readRuns(id, [taskId]))[0]

    /** Out of the live index. */
    const cleared = async (id: string, taskId = 0) => store.clearLive(id, (await runOf(id, taskId)) as TaskRun)

    describe('a dispatch', () => {
      test('comes back as it was written, with its graph', async () => {
        const { id, dispatch, graph } = await aStored({
          tags: { project: 'h2' },
          outcomes: { 1: 'skipped' },
          fences: [aFence({ scope: aScope([1], 3), ended: { batch: { cancelled: 1, succeeded: 0, failed: 0 } } })],
          polledAt: someTime,
          killPass: { at: someTime, count: 2 },
        })
        expect(await store.readDispatch(id)).toEqual(dispatch)
        expect(await store.readGraph(id)).toEqual(graph)
      })

      test('is written once: the second time says so and changes nothing', async () => {
        const { id, dispatch, graph } = await aStored()
        expect(await store.createDispatch({ ...dispatch, name: 'another' }, graph)).toBe(false)
        expect(await store.readDispatch(id)).toEqual(dispatch)
      })

      test('that was never written is not there', async () => {
        expect(await store.readDispatch(aNewId())).toBeUndefined()
      })
    })

    describe('a turn', () => {
      test('is committed over the version it has read, and adds one to it', async () => {
        const { id, dispatch } = await aStored()
        const changes = {
          ...settle(dispatch, new Map([[0, 'succeeded'] as const, [1, 'skipped'] as const]), 3),
          polledAt: someTime + 5,
          killPass: { at: someTime, count: 1 },
        }
        expect(await store.commitTurn(id, 1, changes)).toBe(true)
        const after = await store.readDispatch(id)
        expect(after).toEqual({ ...dispatch, ...changes, version: 2 })
        expect(after && [0, 1, 2].map((task) => outcomeOf(after, task))).toEqual(['succeeded', 'skipped', undefined])
      })

      test('is refused over an older version, also when it is its own', async () => {
        const { id } = await aStored()
        expect(await store.commitTurn(id, 1, { polledAt: 5 })).toBe(true)
        expect(await store.commitTurn(id, 1, { polledAt: 5 })).toBe(false)
        expect(await store.readDispatch(id)).toMatchObject({ version: 2, polledAt: 5 })
      })

      test('that was planned without a fence cannot be committed over it', async () => {
        const { id } = await aStored()
        await store.writeFence(id, aFence({ scope: aScope([0], 3) }), part)
        expect(await store.commitTurn(id, 1, { fences: {} })).toBe(false)
        expect((await store.readDispatch(id))?.fences).toHaveProperty('fence-1')
      })

      test('is refused for a dispatch that is not there', async () => {
        const id = aNewId()
        expect(await store.commitTurn(id, 1, { polledAt: 5 })).toBe(false)
        expect(await store.readDispatch(id)).toBeUndefined()
      })
    })

    describe('a claim', () => {
      test('of a task that was never claimed is had once', async () => {
        const { id } = await aStored()
        const claim = await claimed(id, { executor: 'ssh' })
        expect(await store.claim(id, aClaim())).toBe(false)
        expect(await runOf(id)).toEqual({
          id: 0,
          attempt: 1,
          executor: 'ssh',
          state: 'submitting',
          live: true,
          claimId: claim.claimId,
          claimedAt: someTime,
        })
      })

      test('is recognised when its answer was lost and it is made again', async () => {
        const { id } = await aStored()
        const claim = await claimed(id)
        expect(await store.claim(id, claim)).toBe(true)
      })

      test('that two make at once is had by one', async () => {
        const { id } = await aStored()
        const answers = await Promise.all(Array.from({ length: 8 }, () => store.claim(id, aClaim())))
        expect(answers.filter((held) => held)).toHaveLength(1)
      })

      test('begins with the first attempt', async () => {
        const { id } = await aStored()
        expect(await store.claim(id, aClaim({ attempt: 2 }))).toBe(false)
        expect(await runOf(id)).toBeUndefined()
      })

      test('that was given back is had again, under the same number and with nothing left of it', async () => {
        const { id } = await aStored()
        const first = await claimed(id)
        await store.release(id, first, { drop: false, notBefore: someTime + 9, failure })
        expect(await runOf(id)).toMatchObject({ state: 'released', live: true, notBefore: someTime + 9, failure })
        expect(await store.claim(id, aClaim({ attempt: 2 }))).toBe(false)
        const second = await claimed(id, { at: someTime + 10 })
        expect(await runOf(id)).toEqual({
          id: 0,
          attempt: 1,
          executor: 'batch',
          state: 'submitting',
          live: true,
          claimId: second.claimId,
          claimedAt: someTime + 10,
        })
      })

      test.each(['failed', 'lost'] as const)('follows an attempt that %s, with nothing left of that', async (state) => {
        const { id } = await aStored()
        await submitted(id, {}, { state, startedAt: 1, endedAt: 2, exitCode: 3, failure, cancelError: 'throttled' })
        expect(await store.claim(id, aClaim({ attempt: 3 }))).toBe(false)
        expect(await store.claim(id, aClaim({ attempt: 1 }))).toBe(false)
        const { claimId } = await claimed(id, { attempt: 2 })
        expect(await runOf(id)).toEqual({
          id: 0,
          attempt: 2,
          executor: 'batch',
          state: 'submitting',
          live: true,
          claimId,
          claimedAt: someTime,
        })
      })

      test.each<NonNullable<RunChange['state']>>(['queued', 'running', 'succeeded', 'cancelled'])(
        'does not follow an attempt that is %s',
        async (state) => {
          const { id } = await aStored()
          await submitted(id, {}, { state })
          expect(await store.claim(id, aClaim({ attempt: 2 }))).toBe(false)
        },
      )

      test('of a member of a pack says after which its job is named, and a retry that is made alone does not', async () => {
        const { id } = await aStored()
        await submitted(id, { packLeader: 4 }, { state: 'failed' })
        expect(await runOf(id)).toMatchObject({ packLeader: 4 })
        await claimed(id, { attempt: 2 })
        expect(await runOf(id)).not.toHaveProperty('packLeader')
      })

      test('keeps what the attempts before have cost, until another drive follows: that is settled', async () => {
        const { id } = await aStored()
        const earlierSpend = { batch: { usd: 1.5, unknownJobs: 0 } }
        await submitted(id, {}, { state: 'failed' })
        const retry = await submitted(id, { attempt: 2, earlierSpend }, { state: 'failed' })
        expect(await runOf(id)).toMatchObject({ earlierSpend })
        await cleared(id)
        await claimed(id, { attempt: 3, redrive: 1, follows: retry.claimId, earlierSpend })
        expect(await runOf(id)).not.toHaveProperty('earlierSpend')
      })

      test('is not to be had any more once the live mark was cleared', async () => {
        const { id } = await aStored()
        await submitted(id, { taskId: 0 }, { state: 'failed' })
        await cleared(id, 0)
        expect(await store.claim(id, aClaim({ taskId: 0, attempt: 2 }))).toBe(false)
        const given = await claimed(id, { taskId: 1 })
        await store.release(id, given, { drop: true })
        expect(await store.claim(id, aClaim({ taskId: 1 }))).toBe(false)
        expect(await store.readLive(id)).toEqual([])
      })
    })

    describe('giving a claim back', () => {
      test('takes the task out of the live index where it is dropped, and may be said twice', async () => {
        const { id } = await aStored()
        const claim = await claimed(id)
        for (let said = 0; said < 2; said++) await store.release(id, claim, { drop: true })
        expect(await runOf(id)).toMatchObject({ state: 'released', live: false })
      })

      test("does not touch another's claim, nor one that has a job", async () => {
        const { id } = await aStored()
        const claim = await claimed(id)
        await store.release(id, { ...claim, claimId: 'another' }, { drop: true })
        expect(await runOf(id)).toMatchObject({ state: 'submitting', live: true })
        await store.storeHandle(id, claim, handle, someTime)
        await store.release(id, claim, { drop: true })
        expect(await runOf(id)).toMatchObject({ state: 'queued', live: true })
      })

      test('of a task that was never claimed makes none', async () => {
        const { id } = await aStored()
        await store.release(id, aClaim(), { drop: false })
        expect(await runOf(id)).toBeUndefined()
      })
    })

    describe('a handle', () => {
      test('is kept with the attempt it belongs to', async () => {
        const { id } = await aStored()
        await submitted(id)
        expect(await runOf(id)).toMatchObject({ state: 'queued', handle, submittedAt: someTime + 1 })
      })

      test('is recognised when its answer was lost, also after the job went on', async () => {
        const { id } = await aStored()
        const claim = await submitted(id)
        expect(await store.storeHandle(id, claim, structuredClone(handle), someTime + 2)).toBe(true)
        await store.noteRun(id, claim, { state: 'running' })
        expect(await store.storeHandle(id, claim, handle, someTime + 3)).toBe(true)
        expect(await runOf(id)).toMatchObject({ state: 'running', submittedAt: someTime + 1 })
      })

      test("of a twin is refused, and so is a late one's", async () => {
        const { id } = await aStored()
        const claim = await submitted(id)
        expect(await store.storeHandle(id, claim, { jobId: 'j-2' }, someTime)).toBe(false)
        await store.noteRun(id, claim, { state: 'lost' })
        await claimed(id, { attempt: 2 })
        expect(await store.storeHandle(id, claim, handle, someTime)).toBe(false)
        expect(await runOf(id)).not.toHaveProperty('handle')
      })

      test('of an attempt that was given up before it came is refused', async () => {
        const { id } = await aStored()
        const claim = await claimed(id)
        await store.noteRun(id, claim, { state: 'lost' })
        expect(await store.storeHandle(id, claim, handle, someTime)).toBe(false)
        expect(await store.storeHandle(id, aClaim({ taskId: 1 }), handle, someTime)).toBe(false)
      })
    })

    describe('what is noted about an attempt', () => {
      test.each([
        ['queued', 'running', true],
        ['queued', 'succeeded', true],
        ['running', 'running', true],
        ['running', 'queued', false],
        ['running', 'failed', true],
        ['succeeded', 'failed', false],
        ['succeeded', 'running', false],
        ['failed', 'succeeded', false],
        ['cancelled', 'succeeded', false],
        ['lost', 'succeeded', false],
      ] as const)('never goes back: from %s to %s is %s', async (from, to, isNoted) => {
        const { id } = await aStored()
        const claim = await submitted(id, {}, { state: from })
        expect(await store.noteRun(id, claim, { state: to })).toBe(isNoted)
        expect(await runOf(id)).toMatchObject({ state: isNoted ? to : from })
      })

      test('an end is written once, with all that belongs to it', async () => {
        const { id } = await aStored()
        const end = { state: 'failed', startedAt: 1, endedAt: 2, exitCode: 3, failure } as const
        const claim = await submitted(id, {}, end)
        expect(await store.noteRun(id, claim, { ...end, exitCode: 4, failure: otherFailure })).toBe(false)
        expect(await runOf(id)).toMatchObject({ ...end, live: true })
      })

      test('a claim may end without a job, and says so', async () => {
        const { id } = await aStored()
        const claim = await claimed(id)
        expect(await store.noteRun(id, claim, { state: 'running' })).toBe(false)
        expect(await store.noteRun(id, claim, { state: 'failed', endedAt: 2, failure })).toBe(true)
        expect(await runOf(id)).toMatchObject({ state: 'failed', failure })
      })

      test('a note without a state leaves the state, and null takes a note away', async () => {
        const { id } = await aStored()
        const claim = await submitted(id, {}, { state: 'running' })
        expect(
          await store.noteRun(id, claim, { missingSince: 7, waitReason: 'Priority', cancelError: 'throttled' }),
        ).toBe(true)
        expect(await runOf(id)).toMatchObject({ state: 'running', missingSince: 7, waitReason: 'Priority' })
        expect(await store.noteRun(id, claim, { missingSince: null, cancelError: null })).toBe(true)
        const run = await runOf(id)
        expect(run).toMatchObject({ state: 'running', handle })
        expect(run).not.toHaveProperty('missingSince')
        expect(run).not.toHaveProperty('cancelError')
      })

      test('is refused once the attempt is over, and for another attempt', async () => {
        const { id } = await aStored()
        const claim = await submitted(id, {}, { state: 'succeeded' })
        expect(await store.noteRun(id, claim, { cancelError: 'late' })).toBe(false)
        expect(await store.noteRun(id, { ...claim, attempt: 2 }, { state: 'failed' })).toBe(false)
        expect(await store.noteRun(id, { taskId: 2, attempt: 1 }, { state: 'failed' })).toBe(false)
        expect(await runOf(id, 2)).toBeUndefined()
      })

      test('may bring another handle, where a job was found by its name', async () => {
        const { id } = await aStored()
        const claim = await submitted(id, {}, { missingSince: 7 })
        expect(await store.noteRun(id, claim, { handle: { jobId: 'found' }, missingSince: null })).toBe(true)
        expect(await runOf(id)).toMatchObject({ state: 'queued', handle: { jobId: 'found' } })
      })
    })

    describe('a claim after a redrive', () => {
      const over = async (id: string) => {
        const claim = await submitted(id, {}, { state: 'failed', endedAt: 5, failure })
        await cleared(id)
        return claim
      }

      test('follows the claim that was read, under the next number, and counts from there', async () => {
        const { id } = await aStored()
        const { claimId } = await over(id)
        await claimed(id, { attempt: 2, redrive: 1, follows: claimId })
        const run = await runOf(id)
        expect(run).toMatchObject({ attempt: 2, redrive: 1, firstAttempt: 2, state: 'submitting', live: true })
        expect(run).not.toHaveProperty('failure')
        await store.noteRun(id, { taskId: 0, attempt: 2 }, { state: 'lost' })
        await claimed(id, { attempt: 3, redrive: 1 })
        expect(await runOf(id)).toMatchObject({ attempt: 3, redrive: 1, firstAttempt: 2 })
      })

      test('is refused while the older run is live, or where it was followed already', async () => {
        const { id } = await aStored()
        const first = await submitted(id, {}, { state: 'failed' })
        const next = { attempt: 2, redrive: 1, follows: first.claimId }
        expect(await store.claim(id, aClaim(next))).toBe(false)
        await cleared(id)
        await claimed(id, next)
        await store.noteRun(id, { taskId: 0, attempt: 2 }, { state: 'failed' })
        await cleared(id)
        expect(await store.claim(id, aClaim(next))).toBe(false)
        expect(await runOf(id)).toMatchObject({ attempt: 2, state: 'failed' })
      })

      test('is recognised when its answer was lost, and not had under the old number', async () => {
        const { id } = await aStored()
        const { claimId } = await over(id)
        const claim = await claimed(id, { attempt: 2, redrive: 1, follows: claimId })
        expect(await store.claim(id, claim)).toBe(true)
        expect(await store.claim(id, aClaim({ redrive: 1 }))).toBe(false)
      })

      test('of a task that was never claimed says in which redrive it was made', async () => {
        const { id } = await aStored()
        await claimed(id, { redrive: 1 })
        const run = await runOf(id)
        expect(run).toMatchObject({ attempt: 1, redrive: 1 })
        expect(run).not.toHaveProperty('firstAttempt')
      })
    })

    describe('a redrive', () => {
      const changes = {
        settled: new Uint8Array(1),
        redrives: 1,
        redriveKey: 'this',
        reopened: { failed: 1, cancelled: 0, skipped: 2 },
        drivenAt: someTime + 9,
        openedAt: someTime + 9,
      }
      const anEnded = () =>
        aStored({
          status: 'cancelled',
          endedAt: someTime,
          outcomes: { 0: 'failed', 1: 'skipped', 2: 'skipped' },
          fences: [aFence()],
          polledAt: 4,
          killPass: { at: 4, count: 2 },
          epoch: 3,
        })

      test('opens a dispatch again, in a new epoch, and leaves nothing of its end', async () => {
        const { id, dispatch } = await anEnded()
        expect(await store.listOpen()).not.toContain(id)
        expect(await store.redrive(id, 1, changes)).toBe(true)
        const { endedAt: _, killPass: __, polledAt: ___, skipped: ____, ...rest } = dispatch
        expect(await store.readDispatch(id)).toEqual({
          ...rest,
          ...changes,
          status: 'running',
          fences: {},
          epoch: 4,
          version: 2,
        })
        expect(await store.listOpen()).toContain(id)
      })

      test('is refused over another version, and recognised when it is its own', async () => {
        const { id } = await anEnded()
        expect(await store.redrive(id, 7, changes)).toBe(false)
        expect(await store.redrive(id, 1, changes)).toBe(true)
        expect(await store.redrive(id, 1, changes)).toBe(true)
        expect(await store.redrive(id, 1, { ...changes, redriveKey: 'another' })).toBe(false)
        expect(await store.readDispatch(id)).toMatchObject({ version: 2, epoch: 4 })
      })

      test('of a dispatch that is not there is refused', async () => {
        expect(await store.redrive(aNewId(), 1, changes)).toBe(false)
      })

      test('ends again like any other', async () => {
        const { id } = await anEnded()
        await store.redrive(id, 1, changes)
        expect(await store.commitTurn(id, 2, { status: 'succeeded', endedAt: someTime + 99 })).toBe(true)
        expect(await store.readDispatch(id)).toMatchObject({ status: 'succeeded', endedAt: someTime + 99 })
        expect(await store.listOpen()).not.toContain(id)
      })
    })

    describe('the live index', () => {
      test('holds the claimed and unsettled tasks and nothing else, in id order, from the moment of the write', async () => {
        const { id } = await aStored({ taskCount: 12 })
        expect(await store.readLive(id)).toEqual([])
        for (const taskId of [11, 2, 7]) {
          await claimed(id, { taskId })
          expect((await store.readLive(id)).some((run) => run.id === taskId)).toBe(true)
        }
        await store.putCancellation(aCancellation({ dispatchId: id }))
        await store.addHistory(id, someTime, ['x'])
        expect((await store.readLive(id)).map((run) => run.id)).toEqual([2, 7, 11])
        await cleared(id, 7)
        expect((await store.readLive(id)).map((run) => run.id)).toEqual([2, 11])
        expect((await store.readAllRuns(id)).map((run) => [run.id, run.live])).toEqual([
          [2, true],
          [7, false],
          [11, true],
        ])
      })

      test('carries all that is known of a run', async () => {
        const { id } = await aStored()
        await submitted(id, {}, { state: 'failed', startedAt: 1, endedAt: 2, exitCode: 3, failure })
        expect(await store.readLive(id)).toEqual(await store.readAllRuns(id))
      })

      test('is not cleared of a run that was claimed anew since it was read', async () => {
        const { id } = await aStored()
        await submitted(id, {}, { state: 'lost' })
        const before = (await runOf(id)) as TaskRun
        await claimed(id, { attempt: 2 })
        await store.clearLive(id, before)
        expect(await store.readLive(id)).toMatchObject([{ id: 0, attempt: 2 }])
      })

      test('may be cleared twice, and of a task that was never claimed', async () => {
        const { id } = await aStored()
        await submitted(id, {}, { state: 'succeeded' })
        for (let times = 0; times < 2; times++) await cleared(id, 0)
        await store.clearLive(id, { id: 2, claimId: 'never' })
        expect(await store.readLive(id)).toEqual([])
        expect(await runOf(id)).toMatchObject({ state: 'succeeded', live: false })
        expect(await runOf(id, 2)).toBeUndefined()
      })
    })

    test('runs are read by their ids in any number, in id order and without those that were never claimed', async () => {
      const { id } = await aStored({ taskCount: 150 })
      await Promise.all(Array.from({ length: 120 }, (_, n) => claimed(id, { taskId: 149 - n })))
      const runs: readonly TaskRun[] = await store.readRuns(
        id,
        Array.from({ length: 150 }, (_, n) => n),
      )
      expect(runs.map((run) => run.id)).toEqual(Array.from({ length: 120 }, (_, n) => 30 + n))
      expect(await store.readRuns(id, [])).toEqual([])
    })

    describe('a cancellation', () => {
      test('comes back as it was put, and the first one put stays', async () => {
        const { id } = await aStored()
        const first = aCancellation({ dispatchId: id, taskIds: [1, 2], idempotencyKey: 'k' })
        expect(await store.putCancellation(first)).toEqual(first)
        expect(await store.putCancellation({ ...first, reason: 'another', at: 9 })).toEqual(first)
        expect(await store.readCancellation(id, first.id)).toEqual(first)
        expect(await store.readCancellation(id, 'unknown')).toBeUndefined()
      })

      test('keeps what its fence knew, the last time it is told; one that was never put is not made by that', async () => {
        const { id } = await aStored()
        const record = await store.putCancellation(aCancellation({ dispatchId: id }))
        const final = { abandoned: 2, ended: { batch: { cancelled: 1, succeeded: 0, failed: 0, unconfirmed: 1 } } }
        await store.closeCancellation(id, record.id, { abandoned: 0, ended: {} })
        await store.closeCancellation(id, record.id, final)
        expect(await store.readCancellation(id, record.id)).toEqual({ ...record, final })
        await store.closeCancellation(id, 'unknown', final)
        expect(await store.readCancellation(id, 'unknown')).toBeUndefined()
      })

      test('is listed with the others of its dispatch, oldest first', async () => {
        const { id } = await aStored()
        expect(await store.listCancellations(id)).toEqual([])
        for (const [name, at] of [['b', 1] as const, ['a', 2] as const, ['c', 0] as const])
          await store.putCancellation(aCancellation({ id: name, dispatchId: id, at }))
        expect((await store.listCancellations(id)).map((one) => one.id)).toEqual(['c', 'b', 'a'])
      })
    })

    describe('a fence', () => {
      test('is written into META, with the first kill pass, and adds one to its version', async () => {
        const { id, dispatch } = await aStored()
        const fence: Fence = aFence({ scope: aScope([0, 2], 3), at: someTime + 3 })
        expect(await store.writeFence(id, fence, part)).toBe(true)
        expect(await store.readDispatch(id)).toEqual({
          ...dispatch,
          fences: { 'fence-1': fence },
          killPass: { at: someTime + 3, count: 1 },
          version: 2,
        })
      })

      test('stands beside those that are there', async () => {
        const { id } = await aStored()
        await store.writeFence(id, aFence({ id: 'a' }), part)
        await store.writeFence(id, aFence({ id: 'b', scope: aScope([0], 3) }), part)
        expect(Object.keys((await store.readDispatch(id))?.fences ?? {}).sort()).toEqual(['a', 'b'])
      })

      test('that is written again is recognised, and stays as it was', async () => {
        const { id } = await aStored()
        expect(await store.writeFence(id, aFence(), { epoch: 1, isDrain: true })).toBe(true)
        expect(await store.writeFence(id, aFence({ reason: 'again' }), { epoch: 1, isDrain: true })).toBe(true)
        expect(await store.readDispatch(id)).toMatchObject({
          epoch: 2,
          version: 2,
          fences: { 'fence-1': { reason: 'enough' } },
        })
      })

      test('drains from the epoch it has read, and from no other', async () => {
        const { id } = await aStored({ epoch: 4 })
        expect(await store.writeFence(id, aFence(), { epoch: 3, isDrain: true })).toBe(false)
        expect(await store.readDispatch(id)).toMatchObject({ epoch: 4, version: 1, fences: {} })
        expect(await store.writeFence(id, aFence(), { epoch: 4, isDrain: true })).toBe(true)
        expect(await store.readDispatch(id)).toMatchObject({ epoch: 5, version: 2 })
      })

      test('of a part is refused over another epoch than the one it has read', async () => {
        const { id } = await aStored({ epoch: 2 })
        expect(await store.writeFence(id, aFence({ scope: aScope([0], 3) }), part)).toBe(false)
        expect(await store.readDispatch(id)).toMatchObject({ fences: {}, version: 1 })
      })

      test.each(['succeeded', 'failed', 'cancelled'] as const)('is refused once a dispatch has %s', async (status) => {
        const { id } = await aStored({ status, endedAt: someTime })
        expect(await store.writeFence(id, aFence(), part)).toBe(false)
        expect(await store.readDispatch(id)).toMatchObject({ fences: {}, version: 1 })
      })

      test('is refused for a dispatch that is not there', async () => {
        const id = aNewId()
        expect(await store.writeFence(id, aFence(), part)).toBe(false)
        expect(await store.readDispatch(id)).toBeUndefined()
      })
    })

    describe('the history', () => {
      test('is read in order of time, a page at a time', async () => {
        const { id } = await aStored()
        for (const at of [3, 1, 5, 2, 4]) await store.addHistory(id, someTime + at, [`line ${at}`, 'and another'])
        const first = await store.listHistory(id, { limit: 2 })
        expect(first.items).toEqual([1, 2].map((at) => ({ at: someTime + at, lines: [`line ${at}`, 'and another'] })))
        const second = await store.listHistory(id, { limit: 2, cursor: first.cursor as string })
        const third = await store.listHistory(id, { limit: 2, cursor: second.cursor as string })
        expect([...second.items, ...third.items].map(({ at }) => at - someTime)).toEqual([3, 4, 5])
        expect(third).not.toHaveProperty('cursor')
      })

      test('keeps every event of one moment', async () => {
        const { id } = await aStored()
        for (let n = 0; n < 3; n++) await store.addHistory(id, someTime, [`line ${n}`])
        expect((await store.listHistory(id, { limit: 10 })).items).toHaveLength(3)
      })

      test('of nothing is empty, and a cursor from elsewhere is refused', async () => {
        const { id } = await aStored()
        expect(await store.listHistory(id, { limit: 10 })).toEqual({ items: [] })
        await expect(store.listHistory(id, { limit: 10, cursor: 'nonsense' })).rejects.toThrow(InvalidInput)
      })
    })

    describe('the dispatches of an owner', () => {
      test('are listed newest first, a page at a time, as they are now', async () => {
        const owner = `owner-${++made}`
        const ids: string[] = []
        for (let n = 0; n < 5; n++) ids.push((await aStored({ owner, createdAt: someTime + n })).id)
        await aStored({ owner: `${owner}-other` })
        await store.commitTurn(ids[4] as string, 1, { status: 'failed', endedAt: someTime + 9 })
        const first = await store.listByOwner(owner, { limit: 3 })
        expect(first.items.map(({ id }) => id)).toEqual([ids[4], ids[3], ids[2]])
        expect(first.items[0]).toMatchObject({ status: 'failed', version: 2 })
        const rest = await store.listByOwner(owner, { limit: 3, cursor: first.cursor as string })
        expect(rest.items.map(({ id }) => id)).toEqual([ids[1], ids[0]])
        expect(rest).not.toHaveProperty('cursor')
      })

      test('are none for someone who has none, and a cursor from elsewhere is refused', async () => {
        expect(await store.listByOwner('nobody', { limit: 3 })).toEqual({ items: [] })
        await expect(store.listByOwner('nobody', { limit: 3, cursor: '#' })).rejects.toThrow(InvalidInput)
      })

      test('are found by how their ids begin, at most as many as are asked for', async () => {
        const owner = `owner-${++made}`
        const tail = '-0000-8000-8000-000000000000'
        for (const head of ['abcd0001', 'abcd0002', 'abcd0003', 'ef000001']) await aStored({ owner, id: head + tail })
        await aStored({ owner: `${owner}-other`, id: `abcd0004${tail}` })
        expect(await store.findByPrefix(owner, 'abcd', 2)).toEqual([`abcd0001${tail}`, `abcd0002${tail}`])
        expect(await store.findByPrefix(owner, 'ef00', 2)).toEqual([`ef000001${tail}`])
        expect(await store.findByPrefix(owner, `abcd0003${tail}`, 2)).toEqual([`abcd0003${tail}`])
        expect(await store.findByPrefix(owner, 'abcd0004', 2)).toEqual([])
      })
    })

    test('many dispatches are read at once, and those that are not there are left out', async () => {
      const stored = await Promise.all(Array.from({ length: 3 }, () => aStored()))
      const ids = stored.map(({ id }) => id)
      const absent = Array.from({ length: 120 }, () => randomUUID())
      const found = await store.readDispatches([...absent, ...ids, ...ids])
      expect([...found.keys()].sort()).toEqual([...ids].sort())
      for (const id of ids) expect(found.get(id)).toEqual(await store.readDispatch(id))
      expect(await store.readDispatches([])).toEqual(new Map())
    })

    test('a dispatch is open from its first write to its end', async () => {
      const stored = await Promise.all(Array.from({ length: 12 }, () => aStored()))
      const ids = stored.map(({ id }) => id)
      const { id: ended } = await aStored({ status: 'failed', endedAt: someTime })
      expect(await store.listOpen()).toEqual(expect.arrayContaining(ids))
      const [first, second, ...others] = ids as [string, string, ...string[]]
      await store.commitTurn(first, 1, { polledAt: 5 })
      await store.commitTurn(second, 1, { status: 'succeeded', endedAt: someTime })
      const open = await store.listOpen()
      expect(open).toEqual(expect.arrayContaining([first, ...others]))
      expect(open).not.toContain(second)
      expect(open).not.toContain(ended)
      expect(new Set(open).size).toBe(open.length)
    })
  })
}
