import { QuenchApiError, ServerUnreachable } from '../client/errors.ts'
import { type Problem, QuenchError } from '../domain/errors.ts'
import type { ErrorBody } from '../schema/api.ts'
import { printable } from './render/text.ts'
import { type ExitCode, exitCodes } from './session.ts'

interface FailureDescription {
  /** For people. */
  readonly message: string
  /** For `--json`. */
  readonly body: ErrorBody
  readonly exitCode: ExitCode
}

const problemsShown = 20

/** What the user is told about an error, and what `quench` leaves with. */
export function describeFailure(error: unknown): FailureDescription {
  if (error instanceof QuenchApiError) {
    return describe(error, error.status < 500 ? exitCodes.badInput : exitCodes.serverError)
  }
  if (error instanceof QuenchError) return describe(error, exitCodes.badInput)
  if (error instanceof ServerUnreachable) {
    return describe({ code: 'ServerUnreachable', message: error.message, details: [] }, exitCodes.serverError)
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const body = { code: 'InternalError', message, details: [] }
  return { message: `quench: ${message}`, body, exitCode: exitCodes.serverError }
}

function describe({ code, message, details }: ErrorBody, exitCode: ExitCode): FailureDescription {
  const unsaid = details.filter((problem) => !message.includes(problem.message))
  const lines = [`quench: ${printable(message)}`, ...unsaid.slice(0, problemsShown).map(renderProblem)]
  if (unsaid.length > problemsShown) lines.push(`  … and ${unsaid.length - problemsShown} more`)
  return { message: lines.join('\n'), body: { code, message, details }, exitCode }
}

function renderProblem({ path, message }: Problem): string {
  return `  ${printable(path === '' ? message : `${path}: ${message}`)}`
}
