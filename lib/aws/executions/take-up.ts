import { cancelDispatch } from '../../app/cancel/cancel-dispatch.ts'
import { hasWholeFence } from '../../domain/cancel/cancel-scope.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import type { Wake } from '../../store/dynamo/wake.ts'
import type { Aws } from '../compose.ts'
import type { ExecutionRef } from './execution-name.ts'

/** How an execution ended without its dispatch having ended. */
export type LoopEnd = 'aborted' | 'closed' | 'missing'

/** What was done about it. */
export type TakenUp = 'cancelled' | 'resumed' | 'left'

/** Those who stop an execution in the console are known to CloudTrail; an event does not name them. */
const stopButton = { id: 'Step Functions console', isAdmin: true }

/**
 * The execution that runs a dispatch: META names the epoch, the newest turn of it the generation. Before the drain's
 * first turn, it is the first of its epoch.
 */
export function currentLoop({ id, epoch }: Pick<Dispatch, 'id' | 'epoch'>, wake: Wake | undefined): ExecutionRef {
  return { dispatchId: id, epoch, generation: wake?.epoch === epoch ? wake.generation : 1 }
}

/**
 * Go on with a dispatch whose loop has ended without it. Harmless where another loop runs it.
 *
 * Aborted: someone pressed Stop, and means the dispatch; it is cancelled, with source `console`. Where it is being
 * cancelled already, that was the drain, and its work has to be done. Anything else is resumed: by the execution that
 * is missing, or by the next generation.
 */
export async function takeUp({ context, wake, executions }: Aws, loop: ExecutionRef, end: LoopEnd): Promise<TakenUp> {
  const { store, now, log } = context
  const dispatch = await store.readDispatch(loop.dispatchId)
  if (dispatch?.status !== 'running') return 'left'
  const seen = await wake.read(loop.dispatchId)
  const current = currentLoop(dispatch, seen)
  if (current.epoch !== loop.epoch || current.generation !== loop.generation) return 'left'

  const noted = { dispatchId: loop.dispatchId, epoch: loop.epoch, generation: loop.generation, end }
  if (end === 'aborted' && !hasWholeFence(dispatch.fences)) {
    const order = { reason: 'its execution was stopped', mode: 'graceful', graceSeconds: 30, dryRun: false } as const
    const idempotencyKey = `aborted-${loop.epoch}-${loop.generation}`
    await cancelDispatch(context, stopButton, dispatch.id, order, { source: 'console', idempotencyKey })
    log({ decision: 'cancel-aborted', ...noted })
    return 'cancelled'
  }
  const next = end === 'missing' ? loop : { ...loop, generation: loop.generation + 1 }
  if (next !== loop && !(await wake.succeed(loop.dispatchId, seen, next, now()))) return 'left'
  await executions.launch(next)
  log({ decision: 'resume', ...noted })
  return 'resumed'
}
