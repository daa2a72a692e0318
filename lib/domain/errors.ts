/** One family of errors for the edges; in the middle, what went wrong is data (`Failure`). */
export abstract class QuenchError extends Error {
  abstract readonly code: string
  /** Everything that is wrong, one entry a problem, each naming its place. */
  readonly details: readonly Problem[]

  constructor(message: string, options: { details?: readonly Problem[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.details = options.details ?? []
  }
}

/** One thing that is wrong with an input: where (`tasks[3].needs[0]`) and why. */
export interface Problem {
  readonly path: string
  readonly message: string
}

export class InvalidInput extends QuenchError {
  readonly code = 'InvalidInput'
}

export class NotFound extends QuenchError {
  readonly code = 'NotFound'
}

export class Forbidden extends QuenchError {
  readonly code = 'Forbidden'
}

export class Conflict extends QuenchError {
  readonly code = 'Conflict'
}

/** The back end said no, and would say no again: nothing was made. */
export class BackendRejected extends QuenchError {
  readonly code = 'BackendRejected'
}

/**
 * The back end did not answer, or not now.
 *
 * `arrived: 'no'` is certain that the call had no effect (throttled, refused before it was read); `'unknown'` is a
 * time-out, a 5xx or a broken connection: the effect may be there.
 */
export class BackendUnavailable extends QuenchError {
  readonly code = 'BackendUnavailable'
  readonly arrived: 'no' | 'unknown'

  constructor(message: string, options: { arrived: 'no' | 'unknown'; cause?: unknown }) {
    super(message, options)
    this.arrived = options.arrived
  }
}

/** Asked again, the answer would be the same. A conflict may be over by then. */
export function isRefusal(error: unknown): error is InvalidInput | NotFound | Forbidden {
  return error instanceof InvalidInput || error instanceof NotFound || error instanceof Forbidden
}

/** What executors throw: anything else is a defect, and not to be caught. */
export type CallError = BackendUnavailable | BackendRejected

export function isBackendError(error: unknown): error is CallError {
  return error instanceof BackendUnavailable || error instanceof BackendRejected
}
