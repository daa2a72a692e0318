import { Hono } from 'hono'
import { z } from 'zod'
import type { Api } from '../../app/api.ts'
import { type CancelAnswer, cancelRequest, dispatchIdParam } from '../../schema/api.ts'
import { checked, idempotencyKey, readJson } from '../checked.ts'
import type { HttpEnv } from '../env.ts'

const pathParams = z.object({ dispatchId: dispatchIdParam })
const cancellationParams = pathParams.extend({ cancellationId: z.string().max(128) })

/** `/dispatches/{id}/cancellations`: cancel, and follow a cancellation. No body at all cancels the whole dispatch. */
export function cancellationRoutes(api: Api): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()

  routes.post('/', async (c) => {
    const { dispatchId } = checked(pathParams, c.req.param(), 'path')
    const key = idempotencyKey(c)
    const request = checked(cancelRequest, await readJson(c, { emptyIsObject: true }), 'request')
    const answer = await api.cancelDispatch(c.var.caller, dispatchId, request, key)
    if (answer.cancellationId !== undefined) {
      c.header('Location', `/dispatches/${answer.dispatchId}/cancellations/${answer.cancellationId}`)
    }
    return c.json(answer, hasMoreToStop(answer) ? 202 : 200)
  })

  routes.get('/:cancellationId', async (c) => {
    const { dispatchId, cancellationId } = checked(cancellationParams, c.req.param(), 'path')
    return c.json(await api.describeCancellation(c.var.caller, dispatchId, cancellationId))
  })

  return routes
}

function hasMoreToStop({ dryRun, counts }: CancelAnswer): boolean {
  return !dryRun && counts.stopping + counts.abandoned > 0
}
