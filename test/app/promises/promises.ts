import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tasksOf } from '../../../lib/app/read/views.ts'
import { covers } from '../../../lib/domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../../lib/domain/dispatch.ts'
import type { Fence } from '../../../lib/domain/fence.ts'
import type { Graph } from '../../../lib/domain/graph/graph.ts'
import { outcomeOf } from '../../../lib/domain/settled.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import type { GraphInput } from '../../../lib/schema/graph-file.ts'
import { isOver } from '../../support/fake-backend.ts'
import { createRandom, type Random } from '../../support/random.ts'
import { randomGraph } from '../../support/random-graph.ts'
import { caller, executorNames, World } from '../../support/world.ts'

export const maxSteps = 20_000

interface Scenario {
  readonly seed: number
  readonly tasks: number
  readonly crashProbability: number
  readonly cancels: 'none' | 'parts' | 'whole' | 'mixed'
}

/** Run one random dispatch to its end, cancelled at random moments, and check what must hold at the end. */
async function run(dynamo: LocalDynamo, { seed, tasks, crashProbability, cancels }: Scenario): Promise<World> {
  const random = createRandom(seed)
  const world = new World({
    client: dynamo.client,
    tableName: dynamo.tableName,
    random,
    salt: `${seed}-${tasks}-${crashProbability}-${cancels}-${runs++}`,
    faults: { crashProbability, backendProbability: random.pick([0, 0.05, 0.2]), resendProbability: 0.02 },
  })
  if (random.chance(0.3)) world.weather = foulWeather(world, random)
  try {
    await live(world, random, { tasks, cancels })
    checkEnd(world)
    return world
  } catch (error) {
    const scenario = JSON.stringify({ seed, tasks, crashProbability, cancels })
    throw new Error(`${scenario}\n${world.gates.trace.slice(-80).join('\n')}`, { cause: error })
  }
}

/** Some back ends do not answer for a while, or only late, or will not. */
export function foulWeather(world: World, random: Random): World['weather'] {
  const kinds = ['hanging', 'late', 'slow', 'throttled'] as const
  const foul = executorNames.filter(() => random.chance(0.4))
  return Object.fromEntries(
    foul.map((name) => [name, { kind: random.pick(kinds), until: world.gates.now + random.below(300_000) }]),
  )
}

let runs = 0

async function live(world: World, random: Random, { tasks, cancels }: Pick<Scenario, 'tasks' | 'cancels'>) {
  await submit(world, withLimits(random, randomGraph(random, tasks, executorNames, 2)))
  const moments = cancels === 'none' ? [] : Array.from({ length: 1 + random.below(3) }, () => random.below(tasks * 12))
  const pending: Promise<void>[] = []
  let steps = 0
  for (; steps < maxSteps && !(world.root?.ended && world.gates.waiting.length === 0); steps++) {
    for (const moment of moments) if (moment === steps) pending.push(cancel(world, random, cancels, pending.length))
    if (world.root?.ended && world.gates.waiting.every((one) => one.until !== undefined)) break
    await world.step()
  }
  expect(steps, 'every dispatch ends').toBeLessThan(maxSteps)
}

/** Some of it may run for so long only, and some graphs may cost so much only. */
function withLimits(random: Random, graph: GraphInput): GraphInput {
  const timeoutSeconds = () => (random.chance(0.2) ? { timeoutSeconds: 1 + random.below(60) } : {})
  return {
    ...graph,
    ...timeoutSeconds(),
    ...(random.chance(0.3) && { budget: { limitUsd: 1 + random.below(8), warnAtUsd: 1 } }),
    tasks: graph.tasks.map((task) => ({ ...task, ...timeoutSeconds() })),
  }
}

/** Submit a graph, again and again where the submitter crashes. */
export async function submit(world: World, input: GraphInput): Promise<void> {
  while (world.dispatchId === '') {
    let id = ''
    const submitter = world.newHost('submitter')
    await drive(world, () =>
      world.spawn(submitter, async () => {
        id = (await world.api(submitter).submitDispatch(caller, input, world.salt)).dispatchId
      }),
    )
    world.dispatchId = id
  }
}

/** Let the world run until one process is through. */
export async function drive(world: World, start: () => Promise<void>) {
  let isDone = false
  const done = start().then(() => {
    isDone = true
  })
  for (let steps = 0; !isDone && steps < maxSteps; steps++) await world.step()
  await done
}

/** A user who asks, and asks again with the same key when no answer comes. */
export function cancel(world: World, random: Random, cancels: Scenario['cancels'], n: number): Promise<void> {
  const isWhole = cancels === 'whole' || (cancels === 'mixed' && random.chance(0.5))
  const count = world.root?.graph.tasks.length ?? 0
  const taskIds = Array.from({ length: 1 + random.below(3) }, () => random.below(count))
  const request = {
    ...(!isWhole && { taskIds }),
    mode: random.pick(['graceful', 'force'] as const),
    graceSeconds: random.below(60),
  }
  const ask = async (attempt: number): Promise<void> => {
    const host = world.newHost(`canceller-${n}.${attempt}`)
    let isAnswered = false
    await world.spawn(host, async () => {
      await world.api(host).cancelDispatch(caller, world.dispatchId, request, `cancel-${n}`)
      isAnswered = true
    })
    if (!isAnswered && random.chance(0.7)) await ask(attempt + 1)
  }
  return ask(0)
}

export function checkEnd(world: World) {
  if (!world.root?.ended) throw new Error('the dispatch has not ended')
  expect(world.jobs.filter((job) => !isOver(job))).toEqual([])
  for (const [id, { ended, graph, fences: everFenced }] of world.dispatches) {
    expect(ended, `dispatch ${id} has ended`).toBeDefined()
    if (ended) checkDispatch(world, ended, graph, everFenced)
  }
}

function checkDispatch(
  world: World,
  ended: Dispatch,
  graph: Graph,
  everFenced: ReadonlyMap<string, { readonly scope: Fence['scope'] }>,
) {
  const fences = Object.values(ended.fences)
  for (const { id } of tasksOf(ended, graph)) {
    const outcome = outcomeOf(ended, id)
    expect(outcome, `task ${id} is settled`).toBeDefined()
    expect(outcome === 'succeeded', `late truth of task ${id}`).toBe(world.hasSucceeded(ended.id, id))
    if (outcome === 'cancelled') {
      const isCovered = [...everFenced.values()].some(({ scope }) => covers(scope, id))
      expect(isCovered, `task ${id} is cancelled by someone`).toBe(true)
    }
    const ran = world.jobs.filter((job) => job.dispatchId === ended.id && job.taskId === id)
    if (outcome === 'skipped') expect(ran, `task ${id} was never started`).toEqual([])
  }
  checkSpend(world, ended)
  for (const fence of fences) {
    const counted = Object.values(fence.ended).reduce((sum, one) => sum + one.cancelled + one.succeeded + one.failed, 0)
    const covered = graph.tasks.filter((task) => covers(fence.scope, task.id)).length
    expect(counted + fence.abandoned, `the counts of ${fence.id}`).toBeLessThanOrEqual(covered)
  }
}

/** Every job is paid for once: never twice, and not left out, whatever crashed and was repeated. */
function checkSpend(world: World, { id, spent = {} }: Dispatch) {
  for (const { name, jobs: all } of world.backends) {
    const jobs = all.filter((job) => job.name.startsWith(`quench-${id}`) || world.isInside(job.dispatchId, id))
    const certain = jobs.filter(
      (job) => world.kept.has(job.id) && (job.state === 'succeeded' || job.state === 'failed'),
    )
    const paid = name === 'slurm' ? spent[name]?.unknownJobs : spent[name]?.usd
    expect(paid ?? 0, `what ${name} has cost`).toBeLessThanOrEqual(jobs.length)
    expect(paid ?? 0, `what ${name} has cost`).toBeGreaterThanOrEqual(certain.length)
  }
}

/** One share of the runs; the shares are files of their own so that they run side by side. */
export function promisesHold(name: string, cancels: Scenario['cancels'], numRuns: number): void {
  let dynamo: LocalDynamo

  beforeAll(async () => {
    dynamo = await startLocalDynamo()
  })
  afterAll(() => dynamo.close())

  test(name, { timeout: 900_000 }, async () => {
    const scenario = fc.record({
      seed: fc.noShrink(fc.nat()),
      tasks: fc.oneof(
        { arbitrary: fc.integer({ min: 1, max: 7 }), weight: 40 },
        { arbitrary: fc.integer({ min: 8, max: 25 }), weight: 3 },
        { arbitrary: fc.integer({ min: 26, max: 60 }), weight: 1 },
      ),
      crashProbability: fc.constantFrom(0, 0.01, 0.04),
      cancels: fc.constant(cancels),
    })
    await fc.assert(
      fc.asyncProperty(scenario, async (one) => {
        await run(dynamo, one)
      }),
      { numRuns, endOnFailure: true },
    )
  })
}
