import { concurrently } from '../concurrently.ts'
import type { Context } from '../context.ts'
import type { FencedDispatch } from './raise-fences.ts'

/**
 * See to it that the drain of every fenced dispatch runs, and wake the loops of those that were fenced in part. In this order
 * there is never a moment without a loop; two at once do no harm.
 *
 * `isByLoop`: whoever asks is itself the old loop of the first, and ends by itself.
 * Gives whether a loop is late: the executions port refused. The old loop then goes on, and starts the drain itself when it
 * meets the newer epoch; on AWS the sweep does, too.
 */
export async function startLoops(
  context: Context,
  tree: readonly FencedDispatch[],
  { isByLoop = false }: { readonly isByLoop?: boolean } = {},
): Promise<boolean> {
  const { executions } = context
  const late = await concurrently(context.concurrency, tree, async ({ dispatch, scope }, index) => {
    try {
      if (scope !== 'all') await executions.wake(dispatch.id)
      else {
        await executions.start(dispatch.id, dispatch.epoch)
        if (!isByLoop || index > 0) await executions.stop(dispatch.id, dispatch.epoch - 1)
      }
      return false
    } catch (error) {
      context.log({ decision: 'loop-late', dispatchId: dispatch.id, error: String(error) })
      return true
    }
  })
  return late.includes(true)
}
