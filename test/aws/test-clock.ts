import { vi } from 'vitest'
import { patienceMs } from '../support/patience.ts'

/** A clock that the test turns: it jumps to the next moment at which something is due, once nothing else is going on. */
export interface TestClock {
  now(): number
  /** Wait so long on this clock. */
  rest(seconds: number): Promise<void>
  /** Wait for `event`, at most so long. */
  until<Value>(event: Promise<Value>, seconds: number): Promise<{ value: Value } | 'timeout'>
  /** Do something in the course of which time stands still. */
  busy<Result>(work: () => Promise<Result>): Promise<Result>
  /** Within something busy: wait for others that are, and may rest. */
  aside<Result>(work: () => Promise<Result>): Promise<Result>
  /** When `seconds` have passed. */
  schedule(seconds: number, work: () => Promise<unknown>): void
  /** Let things go on until `isOver`; an error when nothing is due any more, or it took too long. */
  runUntil(isOver: () => boolean | Promise<boolean>): Promise<void>
}

interface Due {
  readonly at: number
  readonly fire: () => void
}

/** Fakes `Date` as well: what runs in between sees this clock's time. Timers stay real. */
export function createTestClock(start: number, givenMs = patienceMs): TestClock {
  vi.useFakeTimers({ toFake: ['Date'], now: start })
  const due = new Set<Due>()
  let now = start
  let working = 0

  const idle = async () => {
    // Answers of the database come by sockets: not within one turn of the event loop.
    for (let quiet = 0; quiet < 3; quiet = working === 0 ? quiet + 1 : 0)
      await new Promise((resolve) => setImmediate(resolve))
  }

  const busy: TestClock['busy'] = async (work) => {
    working += 1
    try {
      return await work()
    } finally {
      working -= 1
    }
  }

  const aside: TestClock['aside'] = async (work) => {
    working -= 1
    try {
      return await work()
    } finally {
      working += 1
    }
  }

  const until: TestClock['until'] = (event, seconds) =>
    aside(async () => {
      let timer: Due | undefined
      const timeout = new Promise<'timeout'>((resolve) => {
        timer = { at: now + seconds * 1000, fire: () => resolve('timeout') }
        due.add(timer)
      })
      const ended = await Promise.race([event.then((value) => ({ value })), timeout])
      if (timer) due.delete(timer)
      return ended
    })

  return {
    now: () => now,
    busy,
    aside,
    until,
    rest: async (seconds) => {
      await until(new Promise(() => {}), seconds)
    },
    schedule: (seconds, work) => {
      const timer: Due = { at: now + seconds * 1000, fire: () => void busy(work) }
      due.add(timer)
    },
    runUntil: async (isOver) => {
      const began = performance.now()
      for (;;) {
        await idle()
        if (await busy(async () => isOver())) return
        if (performance.now() - began > givenMs) throw new Error('it takes too long')
        const next = soonest(due)
        if (!next) throw new Error('nothing is going on, and it is not over')
        due.delete(next)
        now = Math.max(now, next.at)
        vi.setSystemTime(now)
        next.fire()
      }
    },
  }
}

/** The first of those that are due at the same time. */
function soonest(due: Iterable<Due>): Due | undefined {
  let next: Due | undefined
  for (const one of due) if (!next || one.at < next.at) next = one
  return next
}
