import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { startRace } from '../../support/race.ts'
import { caller } from '../../support/world.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

// In this world a job costs a dollar, on Slurm nobody knows what.
const three = ['a', 'b', 'c'].map((name) => ({ name, executor: 'batch' }))
const budget = { limitUsd: 2 }

type Race = Awaited<ReturnType<typeof startRace>>

/** Let every job that was asked to stop do so, until the dispatch has ended. */
async function obey(race: Race) {
  await race.until(() => {
    for (const job of race.world.jobs) if (job.isAskedToStop && job.state === 'running') job.state = 'cancelled'
    return race.world.root?.ended !== undefined
  }, 'the end')
  return race.end()
}

/** The jobs run, and none of them says no when it is asked to stop. */
async function runJobs(race: Race, count: number) {
  for (let id = 0; id < count; id++) Object.assign(await race.jobOf(id), { state: 'running', isStubborn: false })
}

const budgetOf = (race: Race) => race.ask('reader', (api) => api.describeBudget(caller, race.world.dispatchId))

describe('a budget', () => {
  test('that is used up cancels the dispatch, on record with its figures', async () => {
    const race = await startRace(dynamo, {
      tasks: [...three, { name: 'after', needs: ['a'], executor: 'batch' }],
      budget,
    })
    await race.start()
    await runJobs(race, 3)
    const { state, tasks } = await obey(race)
    expect(state).toBe('cancelled')
    expect(Object.values(tasks).map((task) => task.state)).toEqual(Array.from({ length: 4 }, () => 'cancelled'))
    const { cancellations } = await race.ask('reader', (api) => api.describeDispatch(caller, race.world.dispatchId))
    expect(cancellations).toMatchObject([{ source: 'budget', scope: 'dispatch' }])
    expect(cancellations[0]?.reason).toMatch(/budget of \$2.00 is used up: about \$3.00 spent/)
    expect(await budgetOf(race)).toMatchObject({ totalUsd: 3, limitUsd: 2, isExceeded: true, unknownJobs: 0 })
  })

  test.each([
    ['before its record is written', (label: string) => label.startsWith('Put CANCEL#')],
    ['before its fence', (label: string) => label === 'Update META'],
  ])('stops a dispatch though its loop dies %s', async (_, isHeld) => {
    const race = await startRace(dynamo, { tasks: three, budget })
    await race.start()
    await runJobs(race, 2)
    const write = race.hold(isHeld)
    await write.reached()
    write.die()
    await runJobs(race, 3)
    const { state } = await obey(race)
    expect(state).toBe('cancelled')
    const { cancellations } = await race.ask('reader', (api) => api.describeDispatch(caller, race.world.dispatchId))
    expect(cancellations).toHaveLength(1)
  })

  test('that is raised in time stops nothing', async () => {
    const race = await startRace(dynamo, { tasks: three, budget: { limitUsd: 100, warnAtUsd: 2 } })
    await race.start()
    await runJobs(race, 3)
    const raised = await race.ask('canceller', (api) => api.setBudget(caller, race.world.dispatchId, { limitUsd: 200 }))
    expect(raised).toMatchObject({ limitUsd: 200, isExceeded: false })
    for (const job of race.world.jobs) job.state = 'succeeded'
    expect(await race.end()).toMatchObject({ state: 'succeeded' })
    expect(await race.history()).toContainEqual(expect.stringMatching(/sets the budget to \$200.00/))
  })

  test('warns once', async () => {
    const race = await startRace(dynamo, { tasks: three, budget: { limitUsd: 100, warnAtUsd: 1 } })
    await race.start()
    await runJobs(race, 3)
    for (const job of race.world.jobs) job.state = 'succeeded'
    expect(await race.end()).toMatchObject({ state: 'succeeded' })
    const warnings = (await race.history()).filter((line) => line.includes('of the budget of $100.00 is used'))
    expect(warnings).toHaveLength(1)
    expect(await budgetOf(race)).toMatchObject({ totalUsd: 3, warnedAt: expect.any(String) })
  })

  test('counts what children spend, and is used up by them', async () => {
    const inner = { name: 'inner', tasks: [...three, { name: 'slurm', executor: 'slurm' }] }
    const tasks = [{ name: 'outer', executor: 'sublattice', options: { graph: inner } }]
    const race = await startRace(dynamo, { tasks, budget: { limitUsd: 3 } })
    await race.start()
    await race.until(() => race.world.jobs.length === 4, 'the jobs of the child')
    for (const job of race.world.jobs) Object.assign(job, { state: 'running', isStubborn: false })
    expect(await obey(race)).toMatchObject({ state: 'cancelled', tasks: { outer: { state: 'cancelled' } } })
    expect(await budgetOf(race)).toMatchObject({
      totalUsd: 3,
      unknownJobs: 1,
      backends: { batch: { settledUsd: 3 }, slurm: { settledUsd: 0, unknownJobs: 1 } },
    })
  })

  test('that is used up must be raised before a redrive, and what was spent before still counts, once', async () => {
    const race = await startRace(dynamo, { tasks: three, budget })
    await race.start()
    await runJobs(race, 3)
    await obey(race)
    const redrive = () => race.ask('redriver', (api) => api.redriveDispatch(caller, race.world.dispatchId, {}))
    await expect(redrive()).rejects.toThrow(/used up, about \$3.00 of \$2.00: raise it first/)
    await race.ask('raiser', (api) => api.setBudget(caller, race.world.dispatchId, { limitUsd: 20 }))
    expect(await redrive()).toMatchObject({ reopened: 3 })
    for (const id of [0, 1, 2]) (await race.jobOf(id, 2)).state = 'succeeded'
    await race.until(() => race.world.root?.ended?.status === 'succeeded', 'the end of the second drive')
    expect(await budgetOf(race)).toMatchObject({ totalUsd: 6, limitUsd: 20, isExceeded: false })
  })

  test('of a child that is used up makes its task fail, and says why', async () => {
    const inner = { name: 'inner', tasks: three, budget }
    const race = await startRace(dynamo, {
      tasks: [{ name: 'outer', executor: 'sublattice', options: { graph: inner } }],
    })
    await race.start()
    await race.until(() => race.world.jobs.length === 3, 'the jobs of the child')
    for (const job of race.world.jobs) Object.assign(job, { state: 'running', isStubborn: false })
    const { state, tasks } = await obey(race)
    expect(state).toBe('failed')
    expect(tasks.outer).toMatchObject({ state: 'failed', failure: { code: 'BudgetExceeded' } })
    expect(tasks.outer?.failure?.message).toContain('budget of $2.00 is used up')
  })

  test('counts every attempt of a task', async () => {
    const tasks = [{ name: 'only', executor: 'batch', retry: { attempts: 3 } }]
    const race = await startRace(dynamo, { tasks })
    await race.start()
    for (const attempt of [1, 2]) {
      const failure = { code: 'ExitCode', retryable: false }
      Object.assign(await race.jobOf(0, attempt), { state: 'failed', failure })
    }
    ;(await race.jobOf(0, 3)).state = 'succeeded'
    await race.end()
    expect(await budgetOf(race)).toMatchObject({ totalUsd: 3, isExceeded: false, overshootUsd: 0 })
  })
})

describe('a time limit', () => {
  test('of a task stops its job, which has then timed out, and other tasks run on', async () => {
    const tasks = [
      { name: 'slow', executor: 'ssh', timeoutSeconds: 20 },
      { name: 'after', needs: ['slow'], executor: 'ssh' },
      { name: 'other', executor: 'ssh' },
    ]
    const race = await startRace(dynamo, { tasks })
    await race.start()
    const slow = await race.jobOf(0)
    Object.assign(slow, { state: 'running', isStubborn: true })
    const other = await race.jobOf(2)
    other.state = 'running'
    await race.until(() => slow.isAskedToStop, 'the job is killed')
    slow.state = 'cancelled'
    other.state = 'succeeded'
    const { state, tasks: ended } = await race.end()
    expect(state).toBe('failed')
    expect(ended.slow).toMatchObject({ state: 'failed', failure: { code: 'TimedOut', source: 'quench' } })
    expect(ended).toMatchObject({ after: { state: 'skipped' }, other: { state: 'succeeded' } })
    expect(await race.history()).toContainEqual(expect.stringMatching(/^time limit: asked ssh to stop 1 job/))
  })

  test('of a task that succeeds all the same is forgotten', async () => {
    const race = await startRace(dynamo, { tasks: [{ name: 'slow', executor: 'ssh', timeoutSeconds: 20 }] })
    await race.start()
    const slow = await race.jobOf(0)
    Object.assign(slow, { state: 'running', isStubborn: true })
    await race.until(() => slow.isAskedToStop, 'the job is killed')
    slow.state = 'succeeded'
    expect(await race.end()).toMatchObject({ state: 'succeeded', tasks: { slow: { state: 'succeeded' } } })
  })

  test('of a task whose job is gone when it was stopped is no reason to try again', async () => {
    const race = await startRace(dynamo, { tasks: [{ name: 'slow', executor: 'batch', timeoutSeconds: 20 }] })
    await race.start()
    const slow = await race.jobOf(0)
    Object.assign(slow, { state: 'running', isStubborn: true })
    await race.until(() => slow.isAskedToStop, 'the job is killed')
    slow.state = 'vanished'
    expect((await race.end()).tasks.slow).toMatchObject({ state: 'failed', attempt: 1, failure: { code: 'TimedOut' } })
  })

  test('of a dispatch stops all of it, and it has failed', async () => {
    const race = await startRace(dynamo, { tasks: three, timeoutSeconds: 60 })
    await race.start()
    await runJobs(race, 3)
    const { state, tasks } = await obey(race)
    expect(state).toBe('failed')
    expect(tasks.a).toMatchObject({ state: 'cancelled' })
    const view = await race.ask('reader', (api) => api.describeDispatch(caller, race.world.dispatchId))
    expect(view).toMatchObject({ failure: { code: 'TimedOut', message: 'it ran longer than its 60 s' } })
    expect(view.cancellations).toMatchObject([{ source: 'timeout' }])
  })

  test('of a child makes its task fail with the same code', async () => {
    const inner = { name: 'inner', tasks: three, timeoutSeconds: 60 }
    const race = await startRace(dynamo, {
      tasks: [{ name: 'outer', executor: 'sublattice', options: { graph: inner } }],
    })
    await race.start()
    await race.until(() => race.world.jobs.length === 3, 'the jobs of the child')
    for (const job of race.world.jobs) Object.assign(job, { state: 'running', isStubborn: false })
    const { state, tasks } = await obey(race)
    expect(state).toBe('failed')
    expect(tasks.outer).toMatchObject({ state: 'failed', failure: { code: 'TimedOut' } })
  })
})
