import type { ErrorBody } from '../schema/api.ts'

/** The server said no. `code` and `details` are the API's own; `details` names every problem with its path. */
export class QuenchApiError extends Error {
  readonly status: number
  readonly code: string
  readonly details: ErrorBody['details']

  constructor(status: number, { code, message, details }: ErrorBody) {
    super(message)
    this.name = 'QuenchApiError'
    this.status = status
    this.code = code
    this.details = details
  }
}

/** Nothing answers at the address, or the connection broke again and again. */
export class ServerUnreachable extends Error {
  constructor(url: string, cause: unknown) {
    super(`No Quench server answers at ${url}. Start one with "quench up", or set QUENCH_URL.`, { cause })
    this.name = 'ServerUnreachable'
  }
}
