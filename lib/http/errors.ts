import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { QuenchError } from '../domain/errors.ts'
import type { ErrorBody } from '../schema/api.ts'

const statusByCode: Readonly<Record<string, ContentfulStatusCode>> = {
  InvalidInput: 400,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  BackendRejected: 422,
  BackendUnavailable: 503,
}

/** Answer with an error as users see it; what is no error of ours is logged and answered with a plain 500. */
export function answerError(error: Error, c: Context): Response {
  const status = error instanceof QuenchError ? statusByCode[error.code] : undefined
  if (error instanceof QuenchError && status !== undefined) {
    return c.json(errorBody(error.code, error.message, error.details), status)
  }
  logUnexpected(error, c)
  if (isOfDatabase(error)) {
    const message = `The database cannot be asked now (${error.message}). What it has not acknowledged, it has not kept: try again.`
    return c.json(errorBody('Unavailable', message), 503)
  }
  return c.json(errorBody('InternalError', 'Something went wrong in Quench; its log says what.'), 500)
}

/** What the SDK makes of a service that fails by itself; back ends' errors are BackendUnavailable long before. */
function isOfDatabase(error: Error): boolean {
  return '$fault' in error && error.$fault === 'server'
}

export function errorBody(code: string, message: string, details: ErrorBody['details'] = []): ErrorBody {
  return { code, message, details }
}

function logUnexpected(error: Error, c: Context): void {
  const { name, message, stack } = error
  const entry = { level: 'error', event: 'requestFailed', method: c.req.method, path: c.req.path, name, message, stack }
  console.error(JSON.stringify(entry))
}
