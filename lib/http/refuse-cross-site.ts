import type { MiddlewareHandler } from 'hono'
import { Forbidden } from '../domain/errors.ts'

/**
 * Refuse what a web page of another origin sends.
 *
 * A browser posts JSON under the type `text/plain` to any address, loopback included, without asking; a dispatch runs
 * commands. Browsers name the page in `Origin`; other clients send none.
 */
export const refuseCrossSite: MiddlewareHandler = async (c, next) => {
  const origin = c.req.header('origin')
  const host = c.req.header('host') ?? new URL(c.req.url).host
  if (origin !== undefined && hostOf(origin) !== host) {
    throw new Forbidden(`Requests from pages of ${origin} are not accepted.`)
  }
  await next()
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
