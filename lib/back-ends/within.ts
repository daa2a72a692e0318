import type { Deadline } from './executor.ts'

/** For the SDK's `send`: the call ends with the deadline, and so do its repeats. */
export function within(deadline: Deadline | undefined): { abortSignal?: AbortSignal } {
  return deadline ? { abortSignal: deadline.signal } : {}
}
