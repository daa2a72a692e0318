import { Hono } from 'hono'
import { z } from 'zod'
import type { Api } from '../../app/api.ts'
import { dispatchIdParam, redriveRequest } from '../../schema/api.ts'
import { checked, idempotencyKey, readJson } from '../checked.ts'
import type { HttpEnv } from '../env.ts'

const pathParams = z.object({ dispatchId: dispatchIdParam })

/** `/dispatches/{id}/redrive`. No body at all redrives everything that did not succeed. */
export function redriveRoutes(api: Api): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()

  routes.post('/', async (c) => {
    const { dispatchId } = checked(pathParams, c.req.param(), 'path')
    const key = idempotencyKey(c)
    const request = checked(redriveRequest, await readJson(c, { emptyIsObject: true }), 'request')
    const answer = await api.redriveDispatch(c.var.caller, dispatchId, request, key)
    return c.json(answer, answer.dryRun || answer.reopened === 0 ? 200 : 202)
  })

  return routes
}
