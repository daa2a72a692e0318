import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { Api } from '../app/api.ts'
import type { Caller } from '../app/caller.ts'
import { graphLimits } from '../domain/graph/graph.ts'
import type { HttpEnv } from './env.ts'
import { answerError, errorBody } from './errors.ts'
import { refuseCrossSite } from './refuse-cross-site.ts'
import { budgetRoutes } from './routes/budget.ts'
import { bulkCancellationRoutes } from './routes/bulk-cancellations.ts'
import { cancellationRoutes } from './routes/cancellations.ts'
import { dispatchRoutes } from './routes/dispatches.ts'
import { giveUpRoutes } from './routes/give-ups.ts'
import { outputRoutes } from './routes/outputs.ts'
import { redriveRoutes } from './routes/redrive.ts'

interface HttpAppOptions {
  readonly api: Api
  /** Who asks; throws Forbidden where nobody who may. */
  readonly identify: (c: Context) => Caller | Promise<Caller>
}

const limitMegabytes = graphLimits.requestBytes / 1024 / 1024

/**
 * The API over HTTP: the same app on localhost and in Lambda.
 *
 * Errors: every answer that is not 2xx has an `ErrorBody`. 400 bad input, 403, 404, 405, 409, 413 too large, 422 the
 * back end rejects it, 503 the back end does not answer, 500 anything unexpected.
 */
export function createHttpApp({ api, identify }: HttpAppOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()

  app.onError(answerError)
  app.notFound((c) => c.json(errorBody('NotFound', `There is nothing at ${c.req.method} ${c.req.path}.`), 404))
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const message = `${c.req.path} takes ${methods.join(', ')}, not ${c.req.method}.`
        return c.json(errorBody('MethodNotAllowed', message), 405, { Allow: methods.join(', ') })
      },
    }),
  )
  app.get('/health', (c) => c.json({ status: 'ok' }))

  for (const path of ['/dispatches/*', '/cancellations/*']) {
    app.use(path, refuseCrossSite)
    app.use(path, async (c, next) => {
      c.set('caller', await identify(c))
      await next()
    })
    app.use(
      path,
      bodyLimit({
        maxSize: graphLimits.requestBytes,
        onError: (c) =>
          c.json(errorBody('PayloadTooLarge', `The body is larger than ${limitMegabytes} MB, the limit.`), 413),
      }),
    )
  }
  app.route('/dispatches', dispatchRoutes(api))
  app.route('/dispatches/:dispatchId/cancellations', cancellationRoutes(api))
  app.route('/dispatches/:dispatchId/budget', budgetRoutes(api))
  app.route('/dispatches/:dispatchId/give-ups', giveUpRoutes(api))
  app.route('/dispatches/:dispatchId/redrive', redriveRoutes(api))
  app.route('/dispatches/:dispatchId', outputRoutes(api))
  app.route('/cancellations', bulkCancellationRoutes(api))
  return app
}
