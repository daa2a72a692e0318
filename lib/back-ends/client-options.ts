/**
 * For every SDK client: no call takes longer than half of a claim's lease (5 minutes), repeats included, so that none is
 * in flight when the lease is over. Without `throwOnRequestTimeout` the handler only warns.
 */
export const clientOptions = {
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const

/** For calls that make something and have no client token: an answer that was lost is looked up, not asked for again. */
export const onceOptions = { ...clientOptions, maxAttempts: 1 } as const
