import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { QuenchError } from '../../../lib/domain/errors.ts'
import { effectiveNeeds } from '../../../lib/domain/graph/effective-needs.ts'
import { sublattice } from '../../../lib/domain/graph/graph.ts'
import { topologicalOrder } from '../../../lib/domain/graph/topological-order.ts'
import type { Outcome } from '../../../lib/domain/task-run.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import type { RedriveAnswer } from '../../../lib/schema/api.ts'
import { createRandom, type Random } from '../../support/random.ts'
import { randomGraph } from '../../support/random-graph.ts'
import { caller, executorNames, World } from '../../support/world.ts'
import { cancel, checkEnd, drive, maxSteps, submit } from './promises.ts'

interface Scenario {
  readonly seed: number
  readonly tasks: number
  readonly crashProbability: number
  readonly cancels: 'none' | 'parts' | 'whole' | 'mixed'
}

let dynamo: LocalDynamo
let runs = 0

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** A dispatch with cancels, crashes and redrives at random moments; then one redrive in which nothing goes wrong. */
async function run(scenario: Scenario): Promise<void> {
  const { seed, tasks, crashProbability, cancels } = scenario
  const random = createRandom(seed)
  const world = new World({
    client: dynamo.client,
    tableName: dynamo.tableName,
    random,
    salt: `redrive-${seed}-${tasks}-${crashProbability}-${cancels}-${runs++}`,
    faults: { crashProbability, backendProbability: random.pick([0, 0.05, 0.2]), resendProbability: 0.02 },
  })
  try {
    await submit(world, randomGraph(random, tasks, executorNames, 2))
    doomSome(world, random)
    await storm(world, random, cancels, 0)
    const storms = random.below(2)
    for (let n = 1; n <= storms; n++) {
      await redrive(world, random, { key: `storm-${n}`, taskIds: someTasks(world, random) })
      await storm(world, random, cancels, n)
    }
    world.isCalm = true
    world.faults = { crashProbability: 0, backendProbability: 0, resendProbability: 0 }
    const kept = await succeeded(world)
    await redrive(world, random, { key: 'calm' })
    await runToEnd(world)
    checkEnd(world)
    checkAsUndisturbed(world)
    for (const [id, before] of kept)
      expect((await succeeded(world)).get(id), `the result of task ${id}`).toEqual(before)
  } catch (error) {
    throw new Error(`${JSON.stringify(scenario)}\n${world.gates.trace.slice(-80).join('\n')}`, { cause: error })
  }
}

/** Some tasks fail whenever they are tried: a redrive does not change that. */
function doomSome(world: World, random: Random): void {
  const jobs = (world.root?.graph.tasks ?? []).filter(({ executor }) => executor !== sublattice)
  world.doomed = new Set(jobs.filter(() => random.chance(0.1)).map(({ id }) => id))
}

/** Cancels, and redrives of what has ended so far, at random moments of a drive. */
async function storm(world: World, random: Random, cancels: Scenario['cancels'], n: number): Promise<void> {
  const count = world.root?.graph.tasks.length ?? 0
  const moments = Array.from({ length: random.below(4) }, () => random.below(count * 12))
  const pending: Promise<unknown>[] = []
  let early = random.below(3)
  await runToEnd(world, (step) => {
    for (const [m, at] of moments.entries())
      if (at === step && cancels !== 'none') pending.push(cancel(world, random, cancels, n * 100 + m))
    if (early === 0 || redrivable(world).length === 0 || world.root?.ended || !random.chance(0.1)) return
    early -= 1
    pending.push(ask(world, random, { key: `early-${n}-${early}`, taskIds: someTasks(world, random) }))
  })
}

async function runToEnd(world: World, disturb: (step: number) => void = () => {}): Promise<void> {
  let steps = 0
  for (; steps < maxSteps; steps++) {
    disturb(steps)
    if (world.root?.ended && world.gates.waiting.every((one) => one.until !== undefined)) break
    await world.step()
  }
  expect(steps, 'every drive ends').toBeLessThan(maxSteps)
}

interface Request {
  readonly key: string
  readonly taskIds?: readonly number[] | undefined
}

/** A user who asks, and asks again with the same key when no answer comes; what is refused is left. */
async function ask(world: World, random: Random, { key, taskIds }: Request): Promise<RedriveAnswer | undefined> {
  let answer: RedriveAnswer | undefined
  let isAnswered = false
  for (let n = 0; !isAnswered; n++) {
    const host = world.newHost(`redriver-${key}.${n}`)
    await world.spawn(host, async () => {
      try {
        const request = taskIds ? { taskIds: [...taskIds] } : {}
        answer = await world.api(host).redriveDispatch(caller, world.dispatchId, request, key)
      } catch (error) {
        if (!(error instanceof QuenchError)) throw error
      }
      isAnswered = true
    })
    if (!isAnswered && random.chance(0.2)) break
  }
  return answer
}

async function redrive(world: World, random: Random, request: Request): Promise<void> {
  await drive(world, async () => {
    await ask(world, random, request)
  })
}

function redrivable(world: World): readonly number[] {
  return [...(world.root?.settled ?? [])].filter(([, outcome]) => outcome !== 'succeeded').map(([id]) => id)
}

/** Everything, or a few: what does not fit is refused. */
function someTasks(world: World, random: Random): readonly number[] | undefined {
  const few = random.chance(0.5) ? [] : redrivable(world).filter(() => random.chance(0.6))
  return few.length > 0 ? few : undefined
}

/** The tasks that have succeeded: in which attempt, and how many jobs or children they have had. */
async function succeeded(world: World): Promise<ReadonlyMap<number, unknown>> {
  const { dispatchId } = world
  const runs = await world.store.readAllRuns(dispatchId)
  return new Map(
    runs
      .filter(({ id }) => world.root?.settled.get(id) === 'succeeded')
      .map(({ id, attempt }) => {
        const jobs = world.jobs.filter((job) => job.dispatchId === dispatchId && job.taskId === id)
        const children = world.childrenOf(dispatchId).filter(({ made }) => made.parent?.taskId === id)
        return [id, { attempt, jobs: jobs.length, children: children.length }]
      }),
  )
}

function checkAsUndisturbed(world: World): void {
  const { graph, settled, ended } = world.root ?? {}
  if (!graph || !settled) throw new Error('there is no dispatch')
  const needs = effectiveNeeds(graph)
  const expected = new Map<number, Outcome>()
  for (const id of topologicalOrder(needs)) {
    const mayStart = (needs[id] as readonly number[]).every((need) => expected.get(need) === 'succeeded')
    if (!mayStart) expected.set(id, 'skipped')
    else expected.set(id, world.doomed.has(id) ? 'failed' : 'succeeded')
  }
  const inOrder = (outcomes: ReadonlyMap<number, Outcome>) => [...outcomes].sort(([a], [b]) => a - b)
  expect(inOrder(settled)).toEqual(inOrder(expected))
  expect(ended?.status).toBe([...expected.values()].includes('failed') ? 'failed' : 'succeeded')
}

test('a redrive after every kind of cancel and crash ends as an undisturbed run does', {
  timeout: 900_000,
}, async () => {
  const scenario = fc.record({
    seed: fc.noShrink(fc.nat()),
    tasks: fc.oneof(
      { arbitrary: fc.integer({ min: 1, max: 3 }), weight: 20 },
      { arbitrary: fc.integer({ min: 4, max: 6 }), weight: 8 },
      { arbitrary: fc.integer({ min: 7, max: 12 }), weight: 1 },
    ),
    crashProbability: fc.constantFrom(0, 0.01, 0.04),
    cancels: fc.oneof(
      { arbitrary: fc.constantFrom('parts' as const, 'whole' as const, 'mixed' as const), weight: 9 },
      { arbitrary: fc.constant('none' as const), weight: 1 },
    ),
  })
  await fc.assert(fc.asyncProperty(scenario, run), { numRuns: 200, endOnFailure: true })
})
