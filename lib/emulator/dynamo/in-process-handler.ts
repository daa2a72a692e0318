import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'

type Handler = Exclude<NonNullable<DynamoDBClientConfig['requestHandler']>, { readonly requestTimeout?: unknown }>
type Request = Parameters<Extract<Handler, { handle: unknown }>['handle']>[0]

/** What dynalite asks of a response, and what the SDK reads of it. */
interface Answer {
  statusCode: number
  readonly headers: Record<string, string>
  body: Uint8Array
}

/**
 * Hands the SDK's requests to a server in this process, past the sockets: more than half of the time of a call is theirs.
 *
 * The server must be one that answers with a single `end`, and reads of a request its method, url, headers and body.
 */
export function inProcessHandler(server: Server) {
  return {
    handle: async ({ method, path, headers, body }: Request) => ({
      response: await new Promise<Answer>((resolve) => {
        const answer: Answer = { statusCode: 200, headers: {}, body: new Uint8Array() }
        const request = Object.assign(new EventEmitter(), { method, url: path, headers: lowerCased(headers) })
        server.emit('request', request, {
          set statusCode(code: number) {
            answer.statusCode = code
          },
          setHeader: (name: string, value: unknown) => {
            answer.headers[name.toLowerCase()] = String(value)
          },
          end: (text: string | Uint8Array = '') => {
            answer.body = Buffer.from(text as string)
            resolve(answer)
          },
        })
        if (body !== undefined) request.emit('data', bytesOf(body))
        request.emit('end')
      }),
    }),
  }
}

/** A copy without the traps that the SDK's own body has against being read as text. */
function bytesOf(body: string | Uint8Array): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
