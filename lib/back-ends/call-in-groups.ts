import { type CallError, isBackendError } from '../domain/errors.ts'
import type { Deadline } from './executor.ts'
import { tooLate } from './within.ts'

interface GroupedCall<Item, Answer> {
  readonly items: readonly Item[]
  /** Items a call takes. */
  readonly size: number
  /** One call: an answer an item, in the same order. */
  call(group: readonly Item[]): Promise<readonly Answer[]>
  /** The answer of an item whose call did not go through while others did. */
  failed(error: CallError): Answer
  /** After it no call is begun; those under way are for `call` to end. */
  readonly deadline?: Deadline | undefined
}

/** Calls at the same time. Four keep 1,000 cancels near the time of five calls, and far from any quota. */
const concurrency = 4

/**
 * Make as many calls as the items need, and never lose the answers of those that went through.
 *
 * Shape: one answer an item, in the same order.
 * Errors: that of the first call, when not one went through.
 */
export async function callInGroups<Item, Answer>(grouped: GroupedCall<Item, Answer>): Promise<readonly Answer[]> {
  const { items, size, call, failed, deadline } = grouped
  const groups: (readonly Item[])[] = []
  for (let start = 0; start < items.length; start += size) groups.push(items.slice(start, start + size))

  const answers: (readonly Answer[] | CallError)[] = new Array(groups.length)
  const queue = groups.entries()
  const worker = async () => {
    for (const [index, group] of queue) {
      try {
        if (deadline?.signal.aborted) throw tooLate()
        answers[index] = await call(group)
      } catch (error) {
        if (!isBackendError(error)) throw error
        answers[index] = error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, groups.length) }, worker))

  const [first] = answers
  if (isBackendError(first) && answers.every(isBackendError)) throw first
  return answers.flatMap((answer, index) => {
    return isBackendError(answer) ? (groups[index] ?? []).map(() => failed(answer)) : answer
  })
}
