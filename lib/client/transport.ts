import { z } from 'zod'
import { QuenchApiError, ServerUnreachable } from './errors.ts'

interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Begins with a slash; may carry a query. */
  readonly path: string
  readonly body?: unknown
  readonly idempotencyKey?: string
}

interface TransportOptions {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
}

/** The whole of an answer. */
interface Received {
  readonly headers: Headers
  readonly bytes: Uint8Array
}

/** What an answer says; undefined where it is not one of a Quench server. */
type ReadAnswer<Answer> = (received: Received) => Answer | undefined

/** Three more tries: together they outlast a dropped connection, not a server that is gone. */
const retryDelaysMs = [100, 300, 900]

/**
 * One call of the API, repeated when the connection breaks before the whole answer is here.
 *
 * `read` makes sense of an answer that is 2xx; by default it is JSON.
 * Guarantees: every call may be repeated, since GETs change nothing, PUTs the same again,
 * and POSTs carry an idempotency key.
 * Errors: QuenchApiError for an answer that is not 2xx, ServerUnreachable for none at all.
 */
export async function callApi<Answer>(
  { url, fetch }: TransportOptions,
  request: ApiRequest,
  read: ReadAnswer<Answer> = (received) => parse(received) as Answer | undefined,
): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    try {
      const response = await fetch(`${url}${request.path}`, initOf(request))
      const received = { headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) }
      const answer = response.ok ? read(received) : undefined
      if (answer === undefined) throw refusal(url, response.status, received)
      return answer
    } catch (error) {
      if (error instanceof QuenchApiError) throw error
      const delayMs = retryDelaysMs[tries]
      if (delayMs === undefined || isRefused(error)) throw new ServerUnreachable(url, error)
      await new Promise((resolve) => setTimeout(resolve, delayMs))
    }
  }
}

function initOf({ method, body, idempotencyKey }: ApiRequest): RequestInit {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
  if (body === undefined) return { method, headers }
  return { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Nobody listens: trying again within a second is of no use. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && (cause.code === 'ECONNREFUSED' || cause.code === 'ENOTFOUND')
}

const errorBody = z.object({
  code: z.string(),
  message: z.string(),
  details: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
})

function refusal(url: string, status: number, received: Received): QuenchApiError {
  const error = errorBody.safeParse(parse(received))
  if (error.success) return new QuenchApiError(status, error.data)
  const message = `What answers at ${url} is not a Quench server (status ${status}).`
  return new QuenchApiError(status, { code: 'UnexpectedAnswer', message, details: [] })
}

function parse({ bytes }: Received): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
