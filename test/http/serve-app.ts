import { createServer } from 'node:http'
import { serve } from '@hono/node-server'
import type { Api } from '../../lib/app/api.ts'
import { createHttpApp } from '../../lib/http/app.ts'

/** The HTTP app over `api` on a free port of this machine, for one test: `await using server = await serveApp(api)`. */
export async function serveApp(api: Api): Promise<{ url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const app = createHttpApp({ api, identify: () => ({ id: 'ada', isAdmin: false }) })
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', createServer }, ({ port }) =>
      resolve({
        url: `http://127.0.0.1:${port}`,
        [Symbol.asyncDispose]: () => new Promise((closed) => server.close(() => closed())),
      }),
    )
  })
}
