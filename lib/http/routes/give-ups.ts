import { Hono } from 'hono'
import { z } from 'zod'
import type { Api } from '../../app/api.ts'
import { dispatchIdParam, giveUpRequest } from '../../schema/api.ts'
import { checked, readJson } from '../checked.ts'
import type { HttpEnv } from '../env.ts'

const pathParams = z.object({ dispatchId: dispatchIdParam })

/** `/dispatches/{id}/give-ups`: wait no longer for jobs that are unconfirmed. */
export function giveUpRoutes(api: Api): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()

  routes.post('/', async (c) => {
    const { dispatchId } = checked(pathParams, c.req.param(), 'path')
    const request = checked(giveUpRequest, await readJson(c), 'request')
    return c.json(await api.giveUp(c.var.caller, dispatchId, request))
  })

  return routes
}
