import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startRace } from '../../support/race.ts'
import { caller } from '../../support/world.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

const chain = [
  { name: 'first', executor: 'batch' },
  { name: 'second', executor: 'ssh', needs: ['first'] },
]

type Race = Awaited<ReturnType<typeof startRace>>

/** A chain whose first task has succeeded and whose second was cancelled while it ran. */
async function aCancelledChain(): Promise<Race> {
  const race = await startRace(dynamo, { tasks: chain })
  await race.start()
  ;(await race.jobOf(0)).state = 'succeeded'
  await race.jobOf(1)
  await race.cancel({}, 'once')
  expect((await race.end()).state).toBe('cancelled')
  return race
}

async function endWell(race: Race, attempt = 2): Promise<void> {
  ;(await race.jobOf(1, attempt)).state = 'succeeded'
  const { state, tasks } = await race.end()
  expect(state).toBe('succeeded')
  expect(tasks).toMatchObject({ first: { attempt: 1 }, second: { state: 'succeeded', attempt } })
}

/** Ask for a redrive, and let the process die before its call number `calls`; gives whether it came that far. */
async function dieAfter(race: Race, calls: number): Promise<boolean> {
  const { world } = race
  const host = world.newHost('dying')
  const before = world.gates.trace.length
  const made = () => world.gates.trace.slice(before).filter((line) => line.includes(' dying: ')).length
  world.gates.isHeld = (_, { name }) => name === 'dying' && made() >= calls
  let isAnswered = false
  const asked = world.spawn(host, async () => {
    await world.api(host).redriveDispatch(caller, world.dispatchId, {}, 'key')
    isAnswered = true
  })
  const isStuck = () => world.gates.waiting.some((one) => one.host === host && world.gates.isHeld(one.label, host))
  await race.until(() => isAnswered || isStuck(), 'the death of the redriver')
  const hasDied = !isAnswered
  if (hasDied) world.gates.crash(host, () => {})
  world.gates.isHeld = () => false
  await asked
  return hasDied
}

describe('a redrive whose process dies', () => {
  test('before any of its calls has done all or nothing, and the same request again goes on', async () => {
    let calls = 0
    for (let hasDied = true; hasDied; calls++) {
      const race = await aCancelledChain()
      hasDied = await dieAfter(race, calls)
      const left = await race.world.store.readDispatch(race.world.dispatchId)
      const isDone = left?.redrives === 1
      expect(left, `after ${calls} calls`).toMatchObject(
        isDone
          ? { fences: {}, status: 'running' }
          : { fences: { [Object.keys(left?.fences ?? {})[0] ?? '']: {} }, status: 'cancelled' },
      )
      const answer = await race.redrive({}, 'key')
      expect(answer).toEqual({
        dispatchId: race.world.dispatchId,
        dryRun: false,
        reopened: 1,
        counts: { failed: 0, cancelled: 1, skipped: 0 },
      })
      await endWell(race)
      expect(race.world.root?.redrives, 'redriven once').toBe(1)
    }
    expect(calls).toBeGreaterThan(6)
  })

  test('after META was written is taken up by the sweeper', async () => {
    const race = await aCancelledChain()
    let calls = 0
    while ((await race.world.store.readDispatch(race.world.dispatchId))?.redrives === undefined)
      await dieAfter(race, calls++)
    await endWell(race)
  })
})

describe('a cancel from before a redrive', () => {
  test('that is sent again after it stops nothing, and says so', async () => {
    const race = await aCancelledChain()
    await race.redrive()
    const job = await race.jobOf(1, 2)
    const again = await race.cancel({}, 'once')
    expect(again.counts).toEqual({ stopping: 0, abandoned: 0, finished: 1, backends: {} })
    expect(job.isAskedToStop).toBe(false)
    const view = await race.ask('reader', (api) =>
      api.describeCancellation(caller, race.world.dispatchId, again.cancellationId ?? ''),
    )
    expect(view).toMatchObject({ state: 'confirmed', backends: { ssh: { requested: 1, confirmed: 1, cancelled: 1 } } })
    await endWell(race)
  })

  test('whose fence is about to be written when the dispatch ends and is redriven does not cancel what is redriven', async () => {
    const race = await startRace(dynamo, { tasks: chain })
    await race.start()
    ;(await race.jobOf(0)).state = 'succeeded'
    const job = await race.jobOf(1)
    const { world } = race
    const host = world.newHost('late')
    world.gates.isHeld = (label, { name }) => name === 'late' && label === 'Update META'
    let finished: number | undefined
    const asked = world.spawn(host, async () => {
      const answer = await world.api(host).cancelDispatch(caller, world.dispatchId, {}, 'late')
      finished = answer.counts.finished
    })
    await race.until(
      () => world.gates.waiting.some((one) => one.host === host && one.label === 'Update META'),
      'the fence',
    )
    Object.assign(job, { state: 'failed', failure: { code: 'ExitCode', retryable: false } })
    await race.until(() => world.root?.ended !== undefined, 'the end')
    await race.redrive()
    await race.jobOf(1, 2)
    world.gates.isHeld = () => false
    await race.until(() => finished !== undefined, 'an answer')
    await asked
    expect(finished).toBe(0)
    await endWell(race)
  })

  test('of which a redrive has not heard is a cancel like any other', async () => {
    const race = await aCancelledChain()
    await race.redrive()
    await race.jobOf(1, 2)
    expect((await race.cancel({}, 'another')).counts).toMatchObject({ stopping: 1 })
    expect((await race.end()).state).toBe('cancelled')
    await race.redrive()
    await endWell(race, 3)
  })
})

/** Its only task has failed, META says so, and the turn has not taken it out of the live index yet. */
async function aTurnAboutToClear() {
  const race = await startRace(dynamo, { tasks: [{ name: 'only', executor: 'batch' }] })
  await race.start()
  const job = await race.jobOf(0)
  let isOver = false
  const clear = race.hold((label) => {
    isOver ||= race.world.root?.ended !== undefined
    return isOver && label === 'Update TASK#00000'
  })
  Object.assign(job, { state: 'failed', failure: { code: 'ExitCode', retryable: false } })
  await clear.reached()
  return { race, clear }
}

describe('what an older drive has under way', () => {
  test('a turn that died before it cleared what it had settled leaves nothing that stands for a new attempt', async () => {
    const { race, clear } = await aTurnAboutToClear()
    clear.die()
    expect(await race.world.store.readLive(race.world.dispatchId)).toMatchObject([{ id: 0, state: 'failed' }])
    await race.redrive()
    ;(await race.jobOf(0, 2)).state = 'succeeded'
    expect((await race.end()).state).toBe('succeeded')
  })

  test('a turn that has settled a task and is slow to clear it does not hide the new attempt', async () => {
    const { race, clear } = await aTurnAboutToClear()
    await race.redrive()
    const again = await race.jobOf(0, 2)
    clear.letGo()
    const cleared = () => race.world.gates.waiting.every(({ label }) => label === 'rest')
    await race.until(cleared, 'the old turn')
    expect(await race.world.store.readLive(race.world.dispatchId)).toMatchObject([{ id: 0, attempt: 2 }])
    again.state = 'succeeded'
    expect((await race.end()).state).toBe('succeeded')
  })

  test('a submit that has claimed and not yet looked at the fence submits nothing', async () => {
    const race = await startRace(dynamo, { tasks: chain })
    await race.start()
    ;(await race.jobOf(0)).state = 'succeeded'
    const isClaimed = () => race.seen(': Update TASK#00001')
    const fenceRead = race.hold((label) => label === 'Get META' && isClaimed())
    await fenceRead.reached()
    await race.cancel()
    // The claim is seen by the cancel: it is waited for, until the submit has given it back.
    fenceRead.letGo()
    await race.until(() => race.world.root?.ended !== undefined, 'the end')
    await race.redrive()
    await endWell(race)
    // The first attempt of the second task is a tombstone: a name that never starts.
    const started = race.world.jobs.filter(({ state }) => state !== 'cancelled')
    expect(started.map(({ taskId, attempt }) => [taskId, attempt])).toEqual([
      [0, 1],
      [1, 2],
    ])
  })
})

test('a sublattice gets a new child, and the old one stays as it is', async () => {
  const graph = { name: 'leaf', tasks: [{ name: 'work', executor: 'batch' }] }
  const race = await startRace(dynamo, { tasks: [{ name: 'inner', executor: 'sublattice', options: { graph } }] })
  await race.start()
  const { dispatchId: oldChild } = await race.jobOf(0)
  await race.cancel()
  await race.end()
  await expect(race.ask('redriver', (api) => api.redriveDispatch(caller, oldChild, {}))).rejects.toThrow(
    `redrive task 0 of dispatch ${race.world.dispatchId}`,
  )
  await race.redrive()
  const job = () => race.world.jobs.find(({ dispatchId }) => dispatchId !== oldChild)
  await race.until(() => job() !== undefined, 'a job of the new child')
  Object.assign(job() ?? {}, { state: 'succeeded' })
  const { state, tasks } = await race.end()
  expect(state).toBe('succeeded')
  expect(tasks.inner).toMatchObject({ attempt: 2, childId: job()?.dispatchId })
  expect((await race.world.store.readDispatch(oldChild))?.status).toBe('cancelled')
})

test('of a pack, members that were never claimed are one job, and the others are jobs of their own', async () => {
  const member = (name: string) => ({ name, executor: 'batch', pack: 'all' })
  const race = await startRace(dynamo, { tasks: ['a', 'b', 'c', 'd'].map(member) })
  // The submitter dies when it has claimed the first two: their claims come to nothing.
  const claim = race.hold((label) => label === 'Update TASK#00002')
  await race.start()
  await claim.reached()
  claim.die()
  await race.cancel()
  expect((await race.end()).state).toBe('cancelled')
  race.expectNoJobs()
  await race.redrive()
  for (const [id, attempt] of [
    [0, 2],
    [1, 2],
    [2, 1],
    [3, 1],
  ] as const)
    (await race.jobOf(id, attempt)).state = 'succeeded'
  expect((await race.end()).state).toBe('succeeded')
  const packs = race.world.jobs.map(({ taskId, pack }) => [taskId, pack?.name.slice(-4)])
  expect(packs.sort()).toEqual([
    [0, undefined],
    [1, undefined],
    [2, '-2-1'],
    [3, '-2-1'],
  ])
  // By this their runs are told from those of an older drive.
  const runs = await race.world.store.readAllRuns(race.world.dispatchId)
  expect(runs.map(({ redrive }) => redrive)).toEqual([1, 1, 1, 1])
})
