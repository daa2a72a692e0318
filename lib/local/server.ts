import type { AddressInfo } from 'node:net'
import { userInfo } from 'node:os'
import { serve } from '@hono/node-server'
import { createApi } from '../app/create-api.ts'
import { Forbidden } from '../domain/errors.ts'
import { createHttpApp } from '../http/app.ts'
import { composeLocal, type LocalOptions } from './compose.ts'

export interface ServerOptions extends LocalOptions {
  /** 0 takes any port that is free. */
  readonly port: number
}

export interface Server {
  readonly url: string
  close(options: { detachJobs: boolean }): Promise<void>
  /** Kill what runs, for whoever leaves at once. */
  killNow(): void
}

/**
 * The embedded server: the emulator and the HTTP API over it, on loopback only.
 *
 * It has one user, whoever started it, who owns every dispatch.
 * Errors: EADDRINUSE as Node gives it; Conflict when another server uses the folder.
 */
export async function startServer({ port, ...options }: ServerOptions): Promise<Server> {
  const local = await composeLocal(options)
  const user = { id: userInfo().username, isAdmin: true }
  const app = createHttpApp({
    api: createApi(local.context),
    identify: (c) => {
      // A page of another site can reach loopback under a name of its own (DNS rebinding); its Host header tells.
      if (!isLoopback(c.req.header('host') ?? '')) throw new Forbidden('this server answers to loopback names only')
      return user
    },
  })
  try {
    const server = await listen(app.fetch, port)
    await local.start()
    const { port: taken } = server.address() as AddressInfo
    return {
      url: `http://127.0.0.1:${taken}`,
      close: async (how) => {
        const closed = new Promise((resolve) => server.close(resolve))
        if ('closeAllConnections' in server) server.closeAllConnections()
        await closed
        await local.close(how)
      },
      killNow: local.killNow,
    }
  } catch (error) {
    await local.close({ detachJobs: true })
    throw error
  }
}

function listen(fetch: Parameters<typeof serve>[0]['fetch'], port: number): Promise<ReturnType<typeof serve>> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: '127.0.0.1' })
    server.once('listening', () => resolve(server))
    server.once('error', reject)
  })
}

function isLoopback(host: string): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)
}
