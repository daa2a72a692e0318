import { setTimeout as wait } from 'node:timers/promises'
import { BackendUnavailable } from '../domain/errors.ts'

/** A rate that a service allows: `burst` calls at once, and `perSecond` of them come back. */
export interface Quota {
  readonly perSecond: number
  readonly burst: number
}

export interface Clock {
  /** Milliseconds. */
  now(): number
  sleep(ms: number): Promise<void>
}

export interface Pace {
  /**
   * Resolves when a call may be made. Of those who wait, the one with the greatest weight is next.
   *
   * Errors: BackendUnavailable, nothing was sent, when `signal` fires before that.
   */
  turn(weight?: number, signal?: AbortSignal): Promise<void>
}

interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** Shorter than a rounding error of the clock, in tokens. */
const epsilon = 1e-6

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms) => {
    await wait(ms)
  },
}

/** How long `count` calls take at a quota whose bucket is full. */
export function secondsToCall(count: number, { perSecond, burst }: Quota): number {
  return Math.max(0, count - burst) / perSecond
}

/** What is in the bucket at `now`. */
export function refill({ tokens, at }: Bucket, { perSecond, burst }: Quota, now: number): Bucket {
  return { tokens: Math.min(burst, tokens + ((now - at) / 1000) * perSecond), at: now }
}

/** How long until the bucket holds a whole token. */
export function msToToken({ tokens }: Bucket, { perSecond }: Quota): number {
  return tokens >= 1 - epsilon ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1000)
}

/**
 * Keep calls within a quota, the weightiest first.
 *
 * One bucket for all who share the pace: several chunks of work at the same time keep to the quota together, and are
 * put in order together. Another process has a bucket of its own; the service's throttling is what sets the two apart.
 */
export function createPace(quota: Quota, clock: Clock = systemClock): Pace {
  let bucket: Bucket = { tokens: quota.burst, at: clock.now() }
  const waiting: { readonly weight: number; readonly go: () => void }[] = []
  let isServing = false

  const serve = async () => {
    // Whoever asks in the same moment is put in order before the first goes.
    await Promise.resolve()
    while (waiting.length > 0) {
      bucket = refill(bucket, quota, clock.now())
      const ms = msToToken(bucket, quota)
      if (ms > 0) {
        await clock.sleep(ms)
        continue
      }
      bucket = { ...bucket, tokens: bucket.tokens - 1 }
      takeHeaviest(waiting)?.go()
    }
    isServing = false
  }

  return {
    turn: (weight = 0, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const leave = () => {
        const place = waiting.indexOf(one)
        if (place !== -1) waiting.splice(place, 1)
        reject(new BackendUnavailable('the quota had no room for it in time', { arrived: 'no' }))
      }
      const one = {
        weight,
        go: () => {
          signal?.removeEventListener('abort', leave)
          resolve()
        },
      }
      if (signal?.aborted) {
        leave()
        return promise
      }
      signal?.addEventListener('abort', leave, { once: true })
      waiting.push(one)
      if (!isServing) {
        isServing = true
        void serve()
      }
      return promise
    },
  }
}

/** The first of the heaviest, so that equals keep their order. */
function takeHeaviest<One extends { readonly weight: number }>(waiting: One[]): One | undefined {
  let best = 0
  for (const [index, { weight }] of waiting.entries()) if (weight > (waiting[best]?.weight ?? 0)) best = index
  return waiting.splice(best, 1)[0]
}
