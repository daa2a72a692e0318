import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import { type LocalDynamo, startLocalDynamo } from '../../lib/emulator/dynamo/local-dynamo.ts'
import { type AwsWorldOptions, openAwsWorld } from '../aws/aws-world.ts'

/** Gives worlds to the tests of a file, and clears up after them. */
export function useWorlds(): (options?: AwsWorldOptions) => ReturnType<typeof openAwsWorld> {
  let dynamo: LocalDynamo
  beforeAll(async () => {
    dynamo = await startLocalDynamo()
  })
  afterAll(() => dynamo.close())
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    vi.useRealTimers()
  })
  return (options) => openAwsWorld(dynamo, options)
}

export type World = Awaited<ReturnType<typeof openAwsWorld>>

/** A graph of one task. */
export const single = { name: 'single', tasks: [{ name: 'only', executor: 'batch', options: { command: ['true'] } }] }

/** A dispatch whose only job runs. */
export async function aRunningDispatch(world: World, graph: unknown = single): Promise<string> {
  const id = await world.submit(graph)
  await world.clock.runUntil(() =>
    world.batch.jobs.some(({ status, jobName }) => status === 'RUNNING' && jobName.includes(id)),
  )
  return id
}
