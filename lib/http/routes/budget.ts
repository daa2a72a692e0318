import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { Api } from '../../app/api.ts'
import { budgetRequest, dispatchIdParam } from '../../schema/api.ts'
import { checked, readJson } from '../checked.ts'
import type { HttpEnv } from '../env.ts'

const pathParams = z.object({ dispatchId: dispatchIdParam })

/** `/dispatches/{id}/budget`: what it has spent, and what it may. */
export function budgetRoutes(api: Api): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()
  const dispatchIdOf = (c: Context) => checked(pathParams, c.req.param(), 'path').dispatchId

  routes.get('/', async (c) => c.json(await api.describeBudget(c.var.caller, dispatchIdOf(c))))

  routes.put('/', async (c) => {
    const dispatchId = dispatchIdOf(c)
    const budget = checked(budgetRequest, await readJson(c), 'budget')
    return c.json(await api.setBudget(c.var.caller, dispatchId, budget))
  })

  return routes
}
