import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { covers } from '../../../lib/domain/cancel/cancel-scope.ts'
import { type LocalDynamo, startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { type FakeJob, isOver } from '../../support/fake-backend.ts'
import { createRandom } from '../../support/random.ts'
import { randomGraph } from '../../support/random-graph.ts'
import { caller, executorNames, World } from '../../support/world.ts'
import { checkEnd, drive, foulWeather, maxSteps, submit } from './promises.ts'

let dynamo: LocalDynamo

beforeAll(async () => {
  dynamo = await startLocalDynamo()
})
afterAll(() => dynamo.close())

/** Of the pretended clock: what the answer may take, and how long a loop rests at most. */
const answerMs = 10_000
const restMs = 60_000
let runs = 0

/**
 * P9: however many back ends hang, a cancel is answered in time, all fences of the tree are written before it, and every job
 * whose own back end answers has been asked to stop within a rest of the loop.
 */
async function run(seed: number, tasks: number, isWhole: boolean): Promise<void> {
  const random = createRandom(seed)
  const world = new World({
    client: dynamo.client,
    tableName: dynamo.tableName,
    random,
    salt: `time-${seed}-${tasks}-${runs++}`,
    faults: { crashProbability: 0, backendProbability: 0, resendProbability: 0 },
  })
  world.isPrompt = true
  try {
    await submit(world, randomGraph(random, tasks, executorNames, 2))
    for (let steps = random.below(tasks * 12); steps > 0 && !world.root?.ended; steps--) await world.step()
    world.weather = foulWeather(world, random)
    const isFoul = ({ id }: FakeJob) => executorNames.some((name) => id.startsWith(`${name}-`) && name in world.weather)
    const askedAt = world.gates.now
    const taskIds = isWhole ? undefined : [random.below(tasks)]
    await drive(world, () =>
      world.spawn(world.newHost('canceller'), async () => {
        await world.api({ name: 'canceller', alive: true }).cancelDispatch(caller, world.dispatchId, { taskIds }, 'key')
      }),
    )
    const answeredAt = world.gates.now
    expect(answeredAt - askedAt, 'the answer').toBeLessThanOrEqual(answerMs + 2_000)
    // Whatever runs behind a fence at the answer, in a child as well.
    const isFenced = ({ dispatchId, taskId }: FakeJob) =>
      [...(world.dispatches.get(dispatchId)?.fences.values() ?? [])].some(({ scope }) => covers(scope, taskId))
    const left = world.jobs.filter((job) => world.kept.has(job.id) && !isOver(job) && !isFoul(job) && isFenced(job))
    for (const [id, { ended, made }] of world.dispatches)
      if (isWhole && !ended && made.parent)
        expect(world.dispatches.get(id)?.fences.size, `fences of ${id}`).toBeGreaterThan(0)
    for (let steps = 0; steps < maxSteps && !world.root?.ended; steps++) await world.step()
    for (const job of left) {
      const killedAt = world.killedAt.get(job.id)
      if (killedAt === undefined) expect(isOver(job), `${job.name} was asked to stop, or had ended`).toBe(true)
      else expect(killedAt - answeredAt, `the kill of ${job.name}`).toBeLessThanOrEqual(restMs)
    }
    checkEnd(world)
  } catch (error) {
    const trace = world.gates.trace.slice(-60).join('\n')
    throw new Error(`${JSON.stringify({ seed, tasks, isWhole, weather: world.weather })}\n${trace}`, { cause: error })
  }
}

test('what hangs in one place delays no answer, no fence, and no kill elsewhere', { timeout: 900_000 }, async () => {
  const scenario = fc.record({
    seed: fc.noShrink(fc.nat()),
    tasks: fc.integer({ min: 1, max: 12 }),
    isWhole: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(scenario, ({ seed, tasks, isWhole }) => run(seed, tasks, isWhole)),
    { numRuns: 60, endOnFailure: true },
  )
})
