import { planCancel } from '../../domain/cancel/plan-cancel.ts'
import { sublattice } from '../../domain/graph/graph.ts'
import type { Action } from '../../domain/turn/action.ts'
import { act } from '../act/act.ts'
import type { HandledRun } from '../act/read-handled.ts'
import { stopRuns } from '../act/stop-runs.ts'
import type { Context } from '../context.ts'
import type { FencedDispatch } from './raise-fences.ts'

/** How many jobs, by executor, could not be asked to stop in the time that there was. */
export type Unasked = Readonly<Record<string, number>>

/**
 * Ask the back ends, all at once and in bulk, to stop what runs behind the fences of a cancellation, and look for the jobs of
 * claims; until `untilAt`. What hangs there holds up nothing here; whatever has not come through is repeated by the loops.
 *
 * Children are not asked: they are fenced themselves, and among `tree`.
 */
export async function killOnce(context: Context, tree: readonly FencedDispatch[], untilAt: number): Promise<Unasked> {
  const asked = tree.flatMap((one) => {
    const actions = planCancel(one, one.scope, context.policy, context.now())
    return actions.filter(isAsked).map((action) => ({ one, action, isDone: false }))
  })
  const all = asked.map(async (ask) => {
    await kill(context, ask.one, ask.action, untilAt)
    ask.isDone = true
  })
  const seconds = Math.max(0, untilAt - context.now()) / 1000
  await Promise.race([Promise.all(all), context.sleep(seconds)])
  const unasked: Record<string, number> = {}
  for (const { action, isDone } of asked)
    if (!isDone && action.kind === 'cancel')
      unasked[action.executor] = (unasked[action.executor] ?? 0) + action.tasks.length
  return unasked
}

async function kill(
  context: Context,
  { dispatch, live }: FencedDispatch,
  action: Action,
  untilAt: number,
): Promise<void> {
  const executor = context.executors.get(action.executor)
  if (action.kind !== 'cancel' || !executor) return tryAct(context, dispatch.id, action)
  const runs = new Map(live.map((run) => [run.id, run]))
  const stopped = action.tasks.map(({ taskId }) => runs.get(taskId)).filter((run): run is HandledRun => !!run?.handle)
  try {
    const work = { dispatchId: dispatch.id, action, executor, deadline: context.deadlineAt(untilAt) }
    const lines = await stopRuns(context, work, stopped)
    await context.store.addHistory(dispatch.id, context.now(), lines)
  } catch (error) {
    context.log({ decision: 'kill-failed', dispatchId: dispatch.id, executor: executor.name, error: String(error) })
  }
}

/** Children are fenced already; those without a handle are looked for, so that their ends are known. */
const isAsked = ({ executor, kind }: Action) => executor !== sublattice || kind === 'recover'

/** A look for the jobs of claims reads and writes what it finds, as in a turn. */
async function tryAct(context: Context, dispatchId: string, action: Action): Promise<void> {
  try {
    await act(context, dispatchId, action)
  } catch (error) {
    context.log({ decision: 'act-failed', dispatchId, kind: action.kind, error: String(error) })
  }
}
