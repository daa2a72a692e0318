import { callInGroups } from '../call-in-groups.ts'
import type { Deadline, Handle, Observation } from '../executor.ts'
import { braketError, isNotFound } from './errors.ts'

interface PollOptions {
  /** Of the executor. */
  readonly source: string
  /** The call that `observe` makes. */
  readonly call: string
  /** Errors: those of the SDK. */
  readonly observe: (arn: string) => Promise<Observation>
  readonly deadline: Deadline | undefined
}

/** Ask Braket about each handle by a call of its own: it has none for many. */
export function pollBraket(handles: readonly Handle[], { source, call, observe, deadline }: PollOptions) {
  return callInGroups({
    items: handles as readonly { readonly arn: string }[],
    size: 1,
    deadline,
    call: async ([handle]): Promise<readonly Observation[]> => {
      try {
        return [await observe(handle?.arn ?? '')]
      } catch (error) {
        if (isNotFound(error)) return [{ state: 'lost' }]
        throw braketError(call, error)
      }
    },
    failed: ({ code, message }): Observation => ({
      state: 'unknown',
      failure: { code, message, retryable: true, source },
    }),
  })
}
