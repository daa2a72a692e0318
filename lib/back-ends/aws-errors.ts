import { BackendRejected, BackendUnavailable, isBackendError } from '../domain/errors.ts'

/** Refused for their rate, or for credentials that a later call may have: read by no service, so without effect. */
const refusals = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
])

/** No connection came about, so nothing was sent. A connection that broke (ECONNRESET, EPIPE) may have sent all. */
const unconnected = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])

interface SdkError {
  readonly name: string
  readonly message: string
  readonly code?: unknown
  readonly $fault?: 'client' | 'server'
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/**
 * What an error of the SDK's `send` means for the call: refused for good, not now, or perhaps done.
 *
 * Whatever is not clearly one of the first two counts as perhaps done: a time-out, a 5xx, a broken connection.
 * Source: AWS Batch API reference, Common Error Types; re:Post "aws-batch-requests-error" (429 TooManyRequestsException).
 */
export function backendError(call: string, error: unknown): BackendRejected | BackendUnavailable {
  // Its deadline had come before it was sent.
  if (isBackendError(error)) return error
  const { name, message, code, $fault, $metadata } = error as SdkError
  const text = `${call}: ${message}`
  const status = $metadata?.httpStatusCode
  const isRefused = refusals.has(name) || status === 429 || (typeof code === 'string' && unconnected.has(code))
  if (isRefused) return new BackendUnavailable(text, { arrived: 'no', cause: error })
  const isClientFault = $fault === 'client' || (status !== undefined && status >= 400 && status < 500)
  if (isClientFault && status !== 408) return new BackendRejected(text, { cause: error })
  return new BackendUnavailable(text, { arrived: 'unknown', cause: error })
}
