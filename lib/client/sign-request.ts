import { Sha256 } from '@aws-crypto/sha256-js'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { SignatureV4 } from '@smithy/signature-v4'
import { InvalidInput } from '../domain/errors.ts'
import type { OutgoingRequest } from './outgoing-request.ts'

/** The headers of a request, its signature among them. */
export type SignRequest = (request: OutgoingRequest) => Promise<Readonly<Record<string, string>>>

/** Source: API Gateway developer guide, "Control access to HTTP APIs with IAM authorization". */
const service = 'execute-api'

/**
 * Signs requests with AWS Signature Version 4 and the credentials that the AWS SDKs find: environment, profiles, SSO,
 * `credential_process`, web identity, containers, instances. They are kept, and renewed before they run out.
 *
 * Errors: InvalidInput where there are none, or they have run out and need a person.
 */
export function createSigner({ region }: { readonly region: string }): SignRequest {
  const credentials = defaultProvider()
  return async ({ method, url, headers, body }) => {
    const identity = await credentials().catch((cause: unknown) => {
      throw noCredentials(cause)
    })
    const { protocol, hostname, host, pathname, searchParams } = new URL(url)
    const signer = new SignatureV4({ service, region, credentials: identity, sha256: Sha256 })
    const signed = await signer.sign({
      method,
      protocol,
      hostname,
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: { ...headers, host },
      body,
    })
    // fetch sends the host by itself.
    const { host: _, ...rest } = signed.headers
    return rest
  }
}

function noCredentials(cause: unknown): InvalidInput {
  const reason = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause)
  const message =
    `No AWS credentials to sign requests with (${reason}). Set AWS_PROFILE to a profile that has some, ` +
    'sign in with "aws sso login", or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. For a server that takes bearer tokens, set QUENCH_TOKEN.'
  return new InvalidInput(message, { cause })
}
