import { z } from 'zod'
import type { Authorization } from './authorization.ts'
import { QuenchApiError, ServerUnreachable } from './errors.ts'
import type { OutgoingRequest } from './outgoing-request.ts'

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
  readonly authorization: Authorization
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
 * One call of the API, repeated when the connection breaks before the whole answer is here, or the server is too busy.
 *
 * `read` makes sense of an answer that is 2xx; by default it is JSON.
 * Guarantees: every call may be repeated, since GETs change nothing, PUTs the same again, and POSTs carry an idempotency
 * key.
 * Errors: QuenchApiError for an answer that is not 2xx, ServerUnreachable for none at all; those of the authorization.
 */
export async function callApi<Answer>(
  { url, fetch, authorization }: TransportOptions,
  request: ApiRequest,
  read: ReadAnswer<Answer> = (received) => parse(received) as Answer | undefined,
): Promise<Answer> {
  const outgoing = outgoingOf(url, request)
  const { method, body } = outgoing
  for (let tries = 0; ; tries += 1) {
    const headers = await authorization.headersOf(outgoing)
    try {
      const response = await fetch(outgoing.url, { method, headers, ...(body !== undefined && { body }) })
      const received = { headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) }
      if (isBusy(response.status) && retryDelaysMs[tries] !== undefined) throw new Error(`status ${response.status}`)
      const answer = response.ok ? read(received) : undefined
      if (answer === undefined) throw refusal({ url, authorization }, response.status, received)
      return answer
    } catch (error) {
      if (error instanceof QuenchApiError) throw error
      const delayMs = retryDelaysMs[tries]
      if (delayMs === undefined || isRefused(error)) throw new ServerUnreachable(url, error)
      await new Promise((resolve) => setTimeout(resolve, delayMs))
    }
  }
}

function outgoingOf(server: string, { method, path, body, idempotencyKey }: ApiRequest): OutgoingRequest {
  const url = `${server}${path}`
  const headers: Record<string, string> = { accept: 'application/json' }
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
  if (body === undefined) return { method, url, headers }
  return { method, url, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Throttled, by API Gateway or by what is behind it: soon it may not be. */
function isBusy(status: number): boolean {
  return status === 429 || status === 503
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

/**
 * What API Gateway says by itself; of a bearer token, the reason is in a header.
 *
 * Source: API Gateway developer guide, "Troubleshooting issues with HTTP API JWT authorizers".
 */
const gatewayBody = z.object({ message: z.string() })

type Asked = Pick<TransportOptions, 'url' | 'authorization'>

function refusal({ url, authorization }: Asked, status: number, received: Received): QuenchApiError {
  const body = parse(received)
  const error = errorBody.safeParse(body)
  if (error.success) return new QuenchApiError(status, error.data)
  const gateway = gatewayBody.safeParse(body)
  if (gateway.success && (status === 401 || status === 403)) {
    const why = /error_description="([^"]+)"/.exec(received.headers.get('www-authenticate') ?? '')?.[1]
    const said = why === undefined ? gateway.data.message : `${gateway.data.message}: ${why}`
    const message = `${url} refuses the request (${status} ${said}). ${remedies[authorization.kind]}`
    return new QuenchApiError(status, { code: status === 401 ? 'Unauthorized' : 'Forbidden', message, details: [] })
  }
  const said = gateway.success ? `: ${gateway.data.message}` : ''
  const message = `What answers at ${url} is not a Quench server (status ${status}${said}).`
  return new QuenchApiError(status, { code: 'UnexpectedAnswer', message, details: [] })
}

const remedies: Readonly<Record<Authorization['kind'], string>> = {
  none: 'It wants to know who asks: set QUENCH_TOKEN to a bearer token, or QUENCH_SIGN to the Region to sign for.',
  token: 'The bearer token has run out, or is not one for this server. It comes from QUENCH_TOKEN.',
  signature:
    'It was signed. Do the credentials (see "aws sts get-caller-identity") have a policy that allows execute-api:Invoke ' +
    "on this API? Are they still valid, and is this machine's clock right? A server that takes bearer tokens instead " +
    'needs QUENCH_TOKEN.',
}

function parse({ bytes }: Received): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
