/**
 * Why an attempt did not succeed, kept as data.
 *
 * `retryable` says that the back end lost the attempt (host gone, node failure, spot reclaim): such an attempt is
 * repeated by default, a task's own failure only if its `retry` says so.
 */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  /** Who said so: an executor's name, or `quench` itself. */
  readonly source: string
}
