import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { Api } from '../../app/api.ts'
import type { Result } from '../../app/read/read-result.ts'
import { dispatchIdParam, logQuery, resultUriHeader } from '../../schema/api.ts'
import { checked } from '../checked.ts'
import type { HttpEnv } from '../env.ts'

const pathParams = z.object({ dispatchId: dispatchIdParam })
const taskParams = pathParams.extend({ taskId: z.coerce.number().int().min(0) })

/** `/dispatches/{id}/…`: what its tasks have left and written. */
export function outputRoutes(api: Api): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()

  routes.get('/result', async (c) => {
    const { dispatchId } = checked(pathParams, c.req.param(), 'path')
    return answerResult(c, await api.readResult(c.var.caller, dispatchId))
  })

  routes.get('/tasks/:taskId/result', async (c) => {
    const { dispatchId, taskId } = checked(taskParams, c.req.param(), 'path')
    return answerResult(c, await api.readResult(c.var.caller, dispatchId, taskId))
  })

  routes.get('/tasks/:taskId/log', async (c) => {
    const { dispatchId, taskId } = checked(taskParams, c.req.param(), 'path')
    const place = checked(logQuery, c.req.query(), 'query')
    return c.json(await api.readLog(c.var.caller, dispatchId, taskId, place))
  })

  return routes
}

/** The bytes as they are, whatever they are; no browser is to guess. */
function answerResult(c: Context, { uri, bytes }: Result): Response {
  return c.body(new Uint8Array(bytes), 200, {
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    [resultUriHeader]: uri,
  })
}
