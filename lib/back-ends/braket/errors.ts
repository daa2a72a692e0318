import { type BackendRejected, BackendUnavailable } from '../../domain/errors.ts'
import { backendError } from '../aws-errors.ts'

/**
 * Refused now, and worth another try: too many at once, or the machine is out of its hours.
 *
 * Source: Braket API reference, CreateJob and CreateQuantumTask, errors; developer guide, "Amazon Braket quotas".
 */
const notNow = new Set(['ServiceQuotaExceededException', 'DeviceOfflineException'])

/** As `backendError`, with the errors of Braket that are client faults and yet not for good. */
export function braketError(call: string, error: unknown): BackendRejected | BackendUnavailable {
  const { name, message } = error as Error
  if (notNow.has(name)) return new BackendUnavailable(`${call}: ${message}`, { arrived: 'no', cause: error })
  return backendError(call, error)
}

/** Of a call that fails: throws what `braketError` makes of its error. */
export const throwing =
  (call: string) =>
  (error: unknown): never => {
    throw braketError(call, error)
  }

export const isNotFound = (error: unknown): boolean => (error as Error).name === 'ResourceNotFoundException'

/** On a cancel: the state does not allow it, mostly because the job has ended. */
export const isConflict = (error: unknown): boolean => (error as Error).name === 'ConflictException'

/** The Region of an ARN; undefined where it has none, as those of Amazon's simulators. */
export function regionOf(arn: string): string | undefined {
  return arn.split(':')[3] || undefined
}
