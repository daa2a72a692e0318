import { type Bits, emptyBits, hasBit, setBit } from './bits.ts'
import type { Outcome } from './task-run.ts'

/**
 * How every task of a dispatch was settled, in two bits a task: 0 open, 1 succeeded, 2 failed, 3 cancelled or skipped.
 * Which of the last two it is stands in `skipped`, a bit a task that is absent until something is skipped.
 *
 * 10,000 tasks are 2,500 + 1,250 bytes, so a turn settles any number of tasks in one conditional write of META.
 */
export interface Settled {
  readonly settled: Uint8Array
  readonly skipped?: Bits
}

export function nothingSettled(taskCount: number): Uint8Array {
  return new Uint8Array(Math.ceil(taskCount / 4))
}

export function outcomeOf({ settled, skipped }: Settled, id: number): Outcome | undefined {
  switch (((settled[id >> 2] ?? 0) >> ((id & 3) * 2)) & 3) {
    case 1:
      return 'succeeded'
    case 2:
      return 'failed'
    case 3:
      return skipped && hasBit(skipped, id) ? 'skipped' : 'cancelled'
    default:
      return undefined
  }
}

/**
 * The same with more tasks settled. What is settled already stays as it is: an outcome is written once.
 */
export function settle(before: Settled, outcomes: ReadonlyMap<number, Outcome>, taskCount: number): Settled {
  const settled = Uint8Array.from(before.settled)
  const skipped = Uint8Array.from(before.skipped ?? emptyBits(taskCount))
  for (const [id, outcome] of outcomes) {
    if (outcomeOf(before, id) !== undefined) continue
    settled[id >> 2] = (settled[id >> 2] as number) | (code(outcome) << ((id & 3) * 2))
    if (outcome === 'skipped') setBit(skipped, id)
  }
  return skipped.some((byte) => byte !== 0) ? { settled, skipped } : { settled }
}

/** The same with these tasks open again. */
export function reopen(before: Settled, ids: Iterable<number>): Settled {
  const settled = Uint8Array.from(before.settled)
  const skipped = before.skipped && Uint8Array.from(before.skipped)
  for (const id of ids) {
    settled[id >> 2] = (settled[id >> 2] as number) & ~(3 << ((id & 3) * 2))
    if (skipped) skipped[id >> 3] = (skipped[id >> 3] as number) & ~(1 << (id & 7))
  }
  return skipped?.some((byte) => byte !== 0) ? { settled, skipped } : { settled }
}

function code(outcome: Outcome): number {
  switch (outcome) {
    case 'succeeded':
      return 1
    case 'failed':
      return 2
    case 'cancelled':
    case 'skipped':
      return 3
  }
}

/** How many tasks are settled, by outcome. */
export function countSettled(state: Settled, taskCount: number): Readonly<Record<Outcome, number>> {
  const counts = { succeeded: 0, failed: 0, cancelled: 0, skipped: 0 }
  for (let id = 0; id < taskCount; id++) {
    const outcome = outcomeOf(state, id)
    if (outcome) counts[outcome] += 1
  }
  return counts
}
