import { createHash, createHmac } from 'node:crypto'

/** A request as a server gets it. */
export interface ReceivedRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Expected {
  readonly secretKeys: Readonly<Record<string, string>>
  readonly region: string
  readonly service: string
  readonly now: number
  /** The headers that the signature must cover. */
  readonly covers: readonly string[]
}

/** A signature is valid for 5 minutes. Source: IAM user guide, "AWS Signature Version 4 for API requests". */
const validMs = 5 * 60 * 1000

/**
 * What is wrong with the signature of a request; undefined where nothing is.
 *
 * Written from the IAM user guide, "Create a signed AWS API request", and without what signs.
 */
export function signatureProblem(request: ReceivedRequest, expected: Expected): string | undefined {
  const { method, target, headers, body } = request
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    )
  if (!parts) return 'there is no signature'
  const [, keyId = '', day = '', region = '', service = '', signedHeaders = '', signature] = parts
  const secretKey = expected.secretKeys[keyId]
  if (secretKey === undefined) return `nobody has the key ${keyId}`
  if (region !== expected.region) return `it is for the Region ${region}`
  if (service !== expected.service) return `it is for the service ${service}`
  const date = headers['x-amz-date'] ?? ''
  const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))
  if (!date.startsWith(day)) return `it is of ${day}, the request of ${date}`
  if (!(Math.abs(expected.now - at) <= validMs)) return `it has expired: it is of ${date}`

  const names = signedHeaders.split(';')
  const uncovered = expected.covers.filter((name) => !names.includes(name))
  if (uncovered.length > 0) return `it does not cover ${uncovered.join(', ')}`
  const [path = '/', query = ''] = target.split('?')
  const canonical = [
    method,
    path.split('/').map(encoded).join('/'),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}`),
    '',
    signedHeaders,
    sha256(body),
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretKey}`)
  return hmac(key, toSign).toString('hex') === signature ? undefined : 'it is of another request'
}

/** A plus stands for itself: who means a space has to say %20. */
function canonicalQuery(query: string): string {
  if (query === '') return ''
  const pairs = query.split('&').map((pair) => pair.split('=').map((part) => encoded(decodeURIComponent(part))))
  return pairs
    .map(([name, value = '']) => `${name}=${value}`)
    .sort()
    .join('&')
}

const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
