import { BackendUnavailable } from '../domain/errors.ts'
import type { Deadline } from './executor.ts'

/** Of the SDK's `send`. */
interface SendOptions {
  abortSignal?: AbortSignal
}

/**
 * Make a call that ends with its deadline, and its repeats with it, also where it pays no heed to the signal.
 *
 * Errors: an `AbortError` when the deadline came during the call, which may have had its effect; BackendUnavailable,
 * nothing was sent, when it had come before.
 */
export async function within<Answer>(
  deadline: Deadline | undefined,
  call: (options: SendOptions) => Promise<Answer>,
): Promise<Answer> {
  if (!deadline) return call({})
  const { signal } = deadline
  if (signal.aborted) throw tooLate()
  const { promise: end, reject } = Promise.withResolvers<never>()
  const stop = () => reject(new DOMException('no answer in time', 'AbortError'))
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([call({ abortSignal: signal }), end])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Of what was not begun any more. */
export const tooLate = (): BackendUnavailable => new BackendUnavailable('there was no time left', { arrived: 'no' })
