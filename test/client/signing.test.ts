import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { collect } from '../../lib/cli/collect.ts'
import { createClient } from '../../lib/client/client.ts'
import { InvalidInput } from '../../lib/domain/errors.ts'
import { dispatchId } from '../http/recording-api.ts'
import { aGateway } from './a-gateway.ts'
import { type ReceivedRequest, signatureProblem } from './signature-check.ts'

const graph = { name: 'pi', tasks: [{ name: 'split', executor: 'batch' }] }
const secretKeys = { AKIDEXAMPLE: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretKeys.AKIDEXAMPLE)
  vi.stubEnv('AWS_SESSION_TOKEN', '')
  vi.stubEnv('AWS_PROFILE', undefined)
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('QUENCH_TOKEN', undefined)
  vi.stubEnv('QUENCH_SIGN', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.useRealTimers()
})

function problemOf(
  request: ReceivedRequest,
  covers: readonly string[] = ['host', 'x-amz-date', 'x-amz-content-sha256'],
) {
  return signatureProblem(request, { secretKeys, region: 'eu-west-2', service: 'execute-api', now: Date.now(), covers })
}

/** Answers what is signed as it should be, and refuses all else as API Gateway does. */
function aSignedGateway(covers?: readonly string[]) {
  return aGateway((request) => {
    const problem = problemOf(request, covers)
    if (problem !== undefined) return { status: 403, body: { message: `Forbidden: ${problem}` } }
    return { status: 200, body: request.method === 'POST' ? { dispatchId } : { items: [] } }
  })
}

describe('the check of signatures in these tests', () => {
  // Source: AWS General Reference, "Signature Version 4 signing process", the example that runs through it.
  const example: ReceivedRequest = {
    method: 'GET',
    target: '/?Action=ListUsers&Version=2010-05-08',
    headers: {
      host: 'iam.amazonaws.com',
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-amz-date': '20150830T123600Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, ' +
        'SignedHeaders=content-type;host;x-amz-date, ' +
        'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    },
    body: '',
  }
  const expected = {
    secretKeys,
    region: 'us-east-1',
    service: 'iam',
    now: Date.parse('2015-08-30T12:40:00Z'),
    covers: ['host'],
  }

  it("takes the example of AWS's documents", () => {
    expect(signatureProblem(example, expected)).toBeUndefined()
  })

  it.each([
    ['another method', { ...example, method: 'POST' }, expected],
    ['another path', { ...example, target: example.target.replace('/', '/x') }, expected],
    ['another query', { ...example, target: `${example.target}&Marker=1` }, expected],
    ['another body', { ...example, body: '{}' }, expected],
    ['another host', { ...example, headers: { ...example.headers, host: 'example.com' } }, expected],
    ['another Region', example, { ...expected, region: 'eu-west-2' }],
    ['another service', example, { ...expected, service: 'execute-api' }],
    ['another key', example, { ...expected, secretKeys: { AKIDEXAMPLE: 'another' } }],
    ['another time', example, { ...expected, now: expected.now + 6 * 60 * 1000 }],
    ['a header that is not covered', example, { ...expected, covers: ['x-amz-security-token'] }],
  ])('refuses %s', (_, request, wanted) => {
    expect(signatureProblem(request, wanted)).toBeTypeOf('string')
  })
})

describe('a client that signs', () => {
  it('signs method, path, query, headers and body', async () => {
    await using gateway = await aSignedGateway()
    const quench = createClient({ url: `${gateway.url}/stage`, signRegion: 'eu-west-2' })
    expect(await quench.dispatch(graph)).toBe(dispatchId)
    expect(await collect(quench.list({ tag: "note=it's 1+1 & *more* ~ ü" }))).toEqual([])
    expect(problemOf(gateway.received[0] as ReceivedRequest, ['content-type', 'idempotency-key'])).toBeUndefined()
    expect(gateway.received.map(({ target }) => target.split('?')[0])).toEqual([
      '/stage/dispatches',
      '/stage/dispatches',
    ])
  })

  it('sends the token of temporary credentials, signed', async () => {
    vi.stubEnv('AWS_SESSION_TOKEN', 'session/token==')
    await using gateway = await aSignedGateway(['x-amz-security-token'])
    await createClient({ url: gateway.url, signRegion: 'eu-west-2' }).dispatch(graph)
    expect(gateway.received[0]?.headers['x-amz-security-token']).toBe('session/token==')
  })

  it('signs again when it tries again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await using gateway = await aSignedGateway()
    let tries = 0
    const breaking: typeof fetch = async (...args) => {
      tries += 1
      if (tries > 1) return fetch(...args)
      vi.setSystemTime(Date.now() + 10 * 60 * 1000)
      throw new TypeError('terminated')
    }
    const quench = createClient({ url: gateway.url, signRegion: 'eu-west-2', fetch: breaking })
    expect(await quench.dispatch(graph)).toBe(dispatchId)
    expect(tries).toBe(2)
  })

  it('takes the Region from an address of API Gateway', async () => {
    let sent: Headers | undefined
    const caught: typeof fetch = async (_url, init) => {
      sent = new Headers(init?.headers)
      return Response.json({ items: [] })
    }
    const url = 'https://a1b2c3d4e5.execute-api.ap-southeast-2.amazonaws.com'
    await collect(createClient({ url, fetch: caught }).list())
    expect(sent?.get('authorization')).toContain('/ap-southeast-2/execute-api/aws4_request')
    const request = { method: 'GET', target: '/dispatches?limit=100', headers: plain(sent, url), body: '' }
    const region = 'ap-southeast-2'
    const expected = { secretKeys, region, service: 'execute-api', now: Date.now(), covers: ['host'] }
    expect(signatureProblem(request, expected)).toBeUndefined()
  })

  it('is told by QUENCH_SIGN for a domain of its own', async () => {
    vi.stubEnv('QUENCH_SIGN', 'eu-west-2')
    await using gateway = await aSignedGateway()
    expect(await createClient({ url: gateway.url }).dispatch(graph)).toBe(dispatchId)
  })

  it('says how to get credentials when there are none, and sends nothing', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', '')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '')
    await using gateway = await aSignedGateway()
    const dispatching = createClient({ url: gateway.url, signRegion: 'eu-west-2' }).dispatch(graph)
    await expect(dispatching).rejects.toBeInstanceOf(InvalidInput)
    await expect(dispatching).rejects.toThrow(/^No AWS credentials .*AWS_PROFILE.*aws sso login.*AWS_ACCESS_KEY_ID/)
    expect(gateway.received).toEqual([])
  })

  it('says what to look at when the gateway refuses', async () => {
    await using gateway = await aGateway(() => ({ status: 403, body: { message: 'Forbidden' } }))
    const dispatching = createClient({ url: gateway.url, signRegion: 'eu-west-2' }).dispatch(graph)
    await expect(dispatching).rejects.toMatchObject({ status: 403, code: 'Forbidden' })
    await expect(dispatching).rejects.toThrow(/\(403 Forbidden\)\. It was signed.*execute-api:Invoke/)
    expect(gateway.received).toHaveLength(1)
  })
})

describe('a client with a bearer token', () => {
  const aTokenGateway = () =>
    aGateway(({ headers }) =>
      headers.authorization === 'Bearer e.y.j'
        ? { status: 200, body: { items: [] } }
        : {
            status: 401,
            body: { message: 'Unauthorized' },
            headers: { 'www-authenticate': 'Bearer error="invalid_token" error_description="the token has expired"' },
          },
    )

  it('sends it with every request, and does not sign', async () => {
    vi.stubEnv('QUENCH_TOKEN', 'e.y.j')
    vi.stubEnv('QUENCH_SIGN', 'eu-west-2')
    await using gateway = await aTokenGateway()
    expect(await collect(createClient({ url: gateway.url }).list())).toEqual([])
    expect(gateway.received[0]?.headers).not.toHaveProperty('x-amz-date')
  })

  it('signs nevertheless when it is told to by an option', async () => {
    vi.stubEnv('QUENCH_TOKEN', 'e.y.j')
    await using gateway = await aSignedGateway()
    expect(await createClient({ url: gateway.url, signRegion: 'eu-west-2' }).dispatch(graph)).toBe(dispatchId)
  })

  it('says why the gateway refuses it', async () => {
    await using gateway = await aTokenGateway()
    const listing = collect(createClient({ url: gateway.url, token: 'old' }).list())
    await expect(listing).rejects.toThrow('(401 Unauthorized: the token has expired). The bearer token')
  })

  it('says what is missing when nothing was sent', async () => {
    await using gateway = await aTokenGateway()
    const listing = collect(createClient({ url: gateway.url }).list())
    await expect(listing).rejects.toThrow(/QUENCH_TOKEN.*QUENCH_SIGN/)
  })

  it('never sends it to the embedded server that nobody has named', async () => {
    vi.stubEnv('QUENCH_URL', '')
    vi.stubEnv('QUENCH_TOKEN', 'e.y.j')
    let sent: Headers | undefined
    const caught: typeof fetch = async (_url, init) => {
      sent = new Headers(init?.headers)
      return Response.json({ items: [] })
    }
    await collect(createClient({ fetch: caught }).list())
    expect(sent?.has('authorization')).toBe(false)
  })

  it('refuses to send it unencrypted over a network, or with a line end in it', () => {
    expect(() => createClient({ url: 'http://quench.example.com', token: 'e.y.j' })).toThrow('https://')
    expect(() => createClient({ url: 'https://quench.example.com', token: 'e\ny' })).toThrow('characters')
  })
})

it('refuses a Region that is none', () => {
  expect(() => createClient({ url: 'https://quench.example.com', signRegion: 'yes' })).toThrow('eu-west-2')
})

function plain(headers: Headers | undefined, url: string): Record<string, string> {
  return { ...Object.fromEntries(headers ?? []), host: new URL(url).host }
}
