import { InvalidInput } from '../domain/errors.ts'
import type { OutgoingRequest } from './outgoing-request.ts'
import type { SignRequest } from './sign-request.ts'

/** How a request says who sends it. */
export interface Authorization {
  readonly kind: 'none' | 'token' | 'signature'
  /** The request's headers, with what says who sends it. Called for every try: a signature is valid for minutes. */
  headersOf(request: OutgoingRequest): Promise<Readonly<Record<string, string>>>
}

interface Identity {
  readonly url: string
  readonly token?: string | undefined
  readonly signRegion?: string | undefined
}

const none: Authorization = { kind: 'none', headersOf: async ({ headers }) => headers }

/**
 * A bearer token where there is one, else a signature where a Region is given or the address is one of API Gateway, else
 * nothing.
 *
 * Errors: InvalidInput where the one or the other would go over the network unencrypted, or cannot be.
 */
export function authorizationFor({ url, token, signRegion }: Identity): Authorization {
  const region = signRegion ?? gatewayRegion(url)
  if (token === undefined && region === undefined) return none
  if (!isPrivate(url)) throw new InvalidInput(`${url} must begin with https:// when requests say who sends them`)
  if (token !== undefined) return bearing(token)
  if (region === undefined || !/^[a-z]+(-[a-z]+)+-\d+$/.test(region))
    throw new InvalidInput(`"${region}" is not the name of an AWS Region; it should look like eu-west-2`)
  return signing(region)
}

/** Source: API Gateway developer guide, "Invoke HTTP APIs": `https://<api-id>.execute-api.<region>.amazonaws.com`. */
function gatewayRegion(url: string): string | undefined {
  const { hostname } = new URL(url)
  return /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/.exec(hostname)?.[1]
}

function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
}

function bearing(token: string): Authorization {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new InvalidInput('the bearer token has characters that no header may have')
  return {
    kind: 'token',
    headersOf: async ({ headers }) => ({ ...headers, authorization: `Bearer ${token}` }),
  }
}

/** What signs is loaded by the first request that needs it: most start-ups of the command line do not. */
function signing(region: string): Authorization {
  let sign: Promise<SignRequest> | undefined
  return {
    kind: 'signature',
    headersOf: async (request) => {
      sign ??= import('./sign-request.ts').then(({ createSigner }) => createSigner({ region }))
      return (await sign)(request)
    },
  }
}
