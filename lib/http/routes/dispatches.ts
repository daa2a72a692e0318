import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { Api } from '../../app/api.ts'
import { dispatchIdParam, listQuery, pageQuery } from '../../schema/api.ts'
import { checked, idempotencyKey, readJson } from '../checked.ts'
import type { HttpEnv } from '../env.ts'

/** `/dispatches`: submit, list, look. The graph is passed on unchecked: `submitDispatch` checks all of it. */
export function dispatchRoutes(api: Api): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()

  routes.post('/', async (c) => {
    const key = idempotencyKey(c)
    const submitted = await api.submitDispatch(c.var.caller, await readJson(c), key)
    return c.json(submitted, 201, { Location: `/dispatches/${submitted.dispatchId}` })
  })

  routes.get('/', async (c) =>
    c.json(await api.listDispatches(c.var.caller, checked(listQuery, c.req.query(), 'query'))),
  )

  routes.get('/:dispatchId', async (c) => c.json(await api.describeDispatch(c.var.caller, dispatchIdOf(c))))

  routes.get('/:dispatchId/tasks', async (c) =>
    c.json(await api.listTasks(c.var.caller, dispatchIdOf(c), checked(pageQuery, c.req.query(), 'query'))),
  )

  routes.get('/:dispatchId/events', async (c) =>
    c.json(await api.listEvents(c.var.caller, dispatchIdOf(c), checked(pageQuery, c.req.query(), 'query'))),
  )

  return routes
}

const pathParams = z.object({ dispatchId: dispatchIdParam })

function dispatchIdOf(c: Context): string {
  return checked(pathParams, c.req.param(), 'path').dispatchId
}
