import { logDecision } from './log-decision.ts'

/**
 * A Lambda handler around `work`: on an error, one line of the log that names it, and then Lambda gets it.
 *
 * Whoever has asked sees its name and message: the state machine to choose its retry, the console to show it.
 */
export function handle<Input, Output>(
  name: string,
  work: (event: Input) => Promise<Output>,
): (event: Input) => Promise<Output> {
  return async (event) => {
    try {
      return await work(event)
    } catch (error) {
      const { name: errorName, message } = error instanceof Error ? error : new Error(String(error))
      logDecision({ decision: 'failed', function: name, errorName, message })
      throw error
    }
  }
}
