import { setTimeout as wait } from 'node:timers/promises'

/** Beside the few repeats of the SDK client: half a minute in all, for a partition that splits or a table that scales. */
const delaysMs = [100, 200, 400, 800, 1600, 3200, 6400, 12_800]

/** Source: DynamoDB developer guide, "Error handling with DynamoDB": refused for its rate, and so without an effect. */
const throttled = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'ThrottledException',
])

/** Make a call again, later and later, for as long as it is refused for its rate only. Errors: the last one, and all others. */
export async function retryThrottled<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (const delayMs of delaysMs) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof Error && throttled.has(error.name))) throw error
      // Full jitter: those that were refused together do not come back together.
      await wait(Math.random() * delayMs)
    }
  }
  return call()
}
