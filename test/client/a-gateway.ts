import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { ReceivedRequest } from './signature-check.ts'

interface GatewayAnswer {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

interface Gateway {
  readonly url: string
  readonly received: readonly ReceivedRequest[]
  [Symbol.asyncDispose](): Promise<void>
}

/** A server on a free port that looks at what it gets as it is on the wire. */
export async function aGateway(answer: (request: ReceivedRequest) => GatewayAnswer): Promise<Gateway> {
  const received: ReceivedRequest[] = []
  const server = createServer(async (incoming, response) => {
    const headers = incoming.headers as Readonly<Record<string, string>>
    const request = { method: incoming.method ?? '', target: incoming.url ?? '', headers, body: await text(incoming) }
    received.push(request)
    const given = answer(request)
    response.writeHead(given.status, { 'content-type': 'application/json', ...given.headers })
    response.end(JSON.stringify(given.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    [Symbol.asyncDispose]: () => new Promise((closed) => server.close(() => closed())),
  }
}
