import type { Context } from '../app/context.ts'
import { createChildDispatches } from '../app/submit/child-dispatches.ts'
import type { AwsParts, Configured } from '../back-ends/back-end.ts'
import type { Executor } from '../back-ends/executor.ts'
import { backEnds } from '../back-ends/registry.ts'

interface Backed {
  readonly QUENCH_BACKENDS: Configured
  readonly QUENCH_BUCKET: string
}

/** What only some functions need: the others do not load its clients. */
type Reading = Partial<Pick<AwsParts, 'readText' | 'readLogStream'>>

/** The executors of the configured back ends. A start loads none of their SDK clients: each comes with its first call. */
export function loadExecutors(
  { QUENCH_BACKENDS, QUENCH_BUCKET: bucket }: Backed,
  { readText = unread, ...reading }: Reading = {},
): (context: () => Context) => readonly Executor[] {
  return (context) => {
    const parts = { bucket, readText, ...reading, children: createChildDispatches(context) }
    return backEnds.flatMap((one) => one.onAws(QUENCH_BACKENDS, parts) ?? [])
  }
}

function unread(uri: string): never {
  throw new Error(`this function reads no results, and was asked for ${uri}`)
}
