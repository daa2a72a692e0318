import { startLocalDynamo } from '../../../lib/emulator/dynamo/local-dynamo.ts'
import { openAwsWorld } from '../../aws/aws-world.ts'
import { createMeter } from './meter.ts'
import type { Usage } from './usage.ts'

/** Lambda takes up to so many messages from the queue at once (`cdk/constructs/job-events.ts`). */
const eventsAtOnce = 100
/** An assumption: the API reference of SendTaskSuccess only says 2,048 at most. */
const tokenLength = 1000
/** Jobs of one dispatch end within so many seconds. */
const spreadSeconds = 120
const patienceMs = 60 * 60 * 1000

interface FanOut {
  readonly tasks: number
  /** Of the shortest job. */
  readonly jobSeconds: number
}

/** All of a dispatch of independent tasks, from its request until its loop has ended. */
export function countFanOut({ tasks, jobSeconds }: FanOut): Promise<Usage> {
  // Spread evenly, and not in the order of the tasks.
  const seconds = (id: number) => jobSeconds + ((id * 37) % (spreadSeconds + 1))
  const fates = Object.fromEntries(
    Array.from({ length: tasks }, (_, id) => [`${id}-1`, { seconds: seconds(id) }] as const),
  )
  return inWorld(fates, async ({ world, meter }) => {
    await world.submit(graph(tasks))
    await world.clock.runUntil(() => isOver(world))
    return meter.read()
  })
}

/** A cancel of everything, from its request until all jobs are confirmed to have ended. */
export function countCancel({ tasks, live }: { tasks: number; live: number }): Promise<Usage> {
  return inWorld({}, async ({ world, meter }) => {
    const id = await world.submit(graph(tasks, live))
    await world.clock.runUntil(() => world.batch.jobs.filter(({ status }) => status === 'RUNNING').length === live)
    // What the events of their start have brought about is done as well.
    const startedAt = world.clock.now()
    await world.clock.runUntil(() => world.clock.now() > startedAt + 10_000)
    meter.read()
    await world.cancel(id)
    await world.clock.runUntil(() => isOver(world))
    return meter.read()
  })
}

type World = Awaited<ReturnType<typeof openAwsWorld>>

async function inWorld(
  fates: Readonly<Record<string, { readonly seconds: number }>>,
  work: (parts: { world: World; meter: ReturnType<typeof createMeter> }) => Promise<Usage>,
): Promise<Usage> {
  const dynamo = await startLocalDynamo()
  try {
    const meter = createMeter()
    const { witness } = meter
    const options = { fates, eventsAtOnce, tellsAll: true, isAnnouncing: true, tokenLength, patienceMs, witness }
    return await work({ world: await openAwsWorld(dynamo, options), meter })
  } finally {
    await dynamo.close()
  }
}

function isOver({ steps }: World): boolean {
  return [...steps.executions.values()].every(({ status }) => status !== 'RUNNING')
}

/** Independent tasks; from the `live`th on they need the first. */
function graph(tasks: number, live = tasks): object {
  return {
    name: `${tasks} tasks`,
    tasks: Array.from({ length: tasks }, (_, id) => ({
      name: `task-${id}`,
      executor: 'batch',
      options: { command: ['simulate', '--seed', String(id)] },
      ...(id >= live && { needs: [0] }),
    })),
  }
}
