import { expect } from 'vitest'
import type { LocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import type { CancelAnswer, CancelRequestInput, RedriveAnswer, RedriveRequestInput } from '../../lib/schema/api.ts'
import type { GraphInput } from '../../lib/schema/graph-file.ts'
import type { FakeJob } from './fake-backend.ts'
import { Crash } from './gates.ts'
import { createRandom } from './random.ts'
import { caller, World } from './world.ts'

const maxSteps = 40_000
/** Their calls, and those of the loops that they start, are never held back. */
const askers = ['canceller', 'redriver']
let races = 0

/**
 * A world without dice: no faults, jobs that do only what the test says, and calls that a test can hold back. What is
 * not held goes on in the order in which it came to its gate or in any other: a race test must not depend on that.
 */
export async function startRace(dynamo: LocalDynamo, graph: Partial<GraphInput> & Pick<GraphInput, 'tasks'>) {
  const random = createRandom(races)
  const world = new World({
    client: dynamo.client,
    tableName: dynamo.tableName,
    random,
    salt: `race-${races++}`,
    faults: { crashProbability: 0, backendProbability: 0, resendProbability: 0 },
    isQuiet: true,
  })

  const until = async (isDone: () => boolean, what: string) => {
    for (let steps = 0; !isDone(); steps++) {
      if (steps > maxSteps) throw new Error(`never: ${what}\n${world.gates.trace.slice(-30).join('\n')}`)
      await world.step()
    }
  }

  /** Run something as a process of its own, to its answer. */
  const ask = async <T>(name: string, work: (api: ReturnType<World['api']>) => Promise<T>): Promise<T> => {
    const host = world.newHost(name)
    let answer: { value: T } | undefined
    let problem: unknown
    const done = world.spawn(host, async () => {
      try {
        answer = { value: await work(world.api(host)) }
      } catch (error) {
        if (error instanceof Crash) throw error
        problem = error
      }
    })
    await until(() => answer !== undefined || problem !== undefined, `an answer to ${name}`)
    await done
    if (problem !== undefined) throw problem
    return (answer as { value: T }).value
  }

  const cancel = (request: CancelRequestInput = {}, key?: string): Promise<CancelAnswer> =>
    ask('canceller', (api) => api.cancelDispatch(caller, world.dispatchId, request, key))

  const redrive = (request: RedriveRequestInput = {}, key?: string): Promise<RedriveAnswer> =>
    ask('redriver', (api) => api.redriveDispatch(caller, world.dispatchId, request, key))

  /** Hold back the next call that fits, and everything like it, until `letGo`. */
  const hold = (isHeld: (label: string) => boolean) => {
    world.gates.isHeld = (label, host) => !askers.includes(host.name) && isHeld(label)
    return {
      reached: () =>
        until(() => world.gates.waiting.some((one) => world.gates.isHeld(one.label, one.host)), 'the held call'),
      letGo: () => {
        world.gates.isHeld = () => false
      },
      /** The process that makes the held call dies before it. */
      die: () => {
        const held = world.gates.waiting.find((one) => world.gates.isHeld(one.label, one.host))
        if (!held) throw new Error('nothing is held')
        world.gates.waiting.splice(world.gates.waiting.indexOf(held), 1)
        world.gates.isHeld = () => false
        world.gates.crash(held.host, held.kill)
      },
    }
  }

  const start = async () => {
    world.dispatchId = (
      await ask('submitter', (api) => api.submitDispatch(caller, { name: 'race', ...graph }, world.salt))
    ).dispatchId
  }

  const end = async () => {
    await until(() => world.root?.ended !== undefined, 'the end of the dispatch')
    // Whatever was still under way must not start anything after the end.
    for (let steps = 0; steps < 50; steps++) await world.step()
    return ask('reader', async (api) => {
      const { state } = await api.describeDispatch(caller, world.dispatchId)
      const { items } = await api.listTasks(caller, world.dispatchId, { limit: 100 })
      return { state, tasks: Object.fromEntries(items.map((task) => [task.name, task])) }
    })
  }

  const jobOf = async (taskId: number, attempt = 1): Promise<FakeJob> => {
    const find = () => world.jobs.find((job) => job.taskId === taskId && job.attempt === attempt)
    await until(() => find() !== undefined, `a job of task ${taskId}`)
    return find() as FakeJob
  }

  /** The trace so far has a call like this. */
  const seen = (part: string) => world.gates.trace.some((line) => line.includes(part))
  const expectNoJobs = () => expect(world.jobs).toEqual([])

  const history = async () =>
    (await world.store.listHistory(world.dispatchId, { limit: 100 })).items.flatMap((event) => event.lines)

  return { world, start, history, ask, cancel, redrive, hold, until, end, jobOf, seen, expectNoJobs }
}
