import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Caller } from '../../lib/app/caller.ts'
import type { Dispatch } from '../../lib/domain/dispatch.ts'
import type { TaskRun } from '../../lib/domain/task-run.ts'
import { composeLocal, type Local, type LocalOptions } from '../../lib/local/compose.ts'
import { createLenientApi, type LenientApi } from '../support/lenient-api.ts'
import { uncounted } from './count-sends.ts'

/** What a measurement works with: a region of its own, and ways to wait that count as nothing. */
export interface Bench {
  readonly region: Local
  readonly api: LenientApi
  readonly caller: Caller
  /** Resolves when the dispatch has ended. */
  ended(dispatchId: string): Promise<Dispatch>
  /** Resolves when the claimed, unsettled tasks are as `isSo` says. */
  live(dispatchId: string, isSo: (runs: readonly TaskRun[]) => boolean): Promise<readonly TaskRun[]>
}

const lookMs = 20
const open = new Set<() => Promise<void>>()
let isInterrupted = false

/** Run `measure` on a fresh region, and leave neither a process nor a file of it behind. */
export async function onRegion<Result>(
  options: Omit<LocalOptions, 'directory' | 'stopTimeoutSeconds'>,
  measure: (bench: Bench) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'quench-bench-'))
  const region = await composeLocal({ directory, stopTimeoutSeconds: 2, ...options })
  const close = async () => {
    if (!open.delete(close)) return
    await region.close({ detachJobs: false })
    await rm(directory, { recursive: true, force: true })
  }
  open.add(close)
  try {
    await region.start()
    return await measure(benchOn(region))
  } catch (error) {
    // Its region is being closed under it: whoever does that ends the process.
    if (isInterrupted) await new Promise(() => {})
    throw error
  } finally {
    await close()
  }
}

/** For ctrl-C: what is being measured comes to nothing, and ends neither well nor badly. */
export async function closeRegions(): Promise<void> {
  isInterrupted = true
  process.on('unhandledRejection', () => {})
  await Promise.all([...open].map((close) => close()))
}

function benchOn(region: Local): Bench {
  const { store } = region.context
  const until = async <Seen>(look: () => Promise<Seen>, isSo: (seen: Seen) => boolean): Promise<Seen> => {
    for (;;) {
      const seen = await uncounted(look)
      if (isSo(seen)) return seen
      await sleep(lookMs)
    }
  }
  return {
    region,
    api: createLenientApi(region.context),
    caller: { id: 'bench', isAdmin: false },
    ended: async (id) =>
      (await until(
        () => store.readDispatch(id),
        (seen) => seen?.status !== 'running',
      )) as Dispatch,
    live: (id, isSo) => until(() => store.readLive(id), isSo),
  }
}
