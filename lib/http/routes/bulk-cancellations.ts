import { Hono } from 'hono'
import { z } from 'zod'
import type { Api } from '../../app/api.ts'
import { pageQuery } from '../../schema/api.ts'
import { bulkCancelRequest } from '../../schema/bulk.ts'
import { checked, idempotencyKey, readJson } from '../checked.ts'
import type { HttpEnv } from '../env.ts'

const pathParams = z.object({ bulkId: z.string().regex(/^[0-9a-f-]{36}$/, 'must be the whole id') })

/** `/cancellations`: cancel every dispatch that a selector means, and follow that. */
export function bulkCancellationRoutes(api: Api): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()

  routes.post('/', async (c) => {
    const key = idempotencyKey(c)
    const request = checked(bulkCancelRequest, await readJson(c), 'request')
    const answer = await api.cancelMany(c.var.caller, request, key)
    if (answer.bulkId !== undefined) c.header('Location', `/cancellations/${answer.bulkId}`)
    return c.json(answer, answer.dryRun || answer.count === 0 ? 200 : 202)
  })

  routes.get('/:bulkId', async (c) => {
    const { bulkId } = checked(pathParams, c.req.param(), 'path')
    return c.json(await api.describeBulk(c.var.caller, bulkId, checked(pageQuery, c.req.query(), 'query')))
  })

  return routes
}
