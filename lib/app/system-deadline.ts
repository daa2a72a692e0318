import type { Deadline } from '../back-ends/executor.ts'

/** A deadline by the clock of this process. It keeps no process alive. */
export function systemDeadline(at: number): Deadline {
  return { at, signal: AbortSignal.timeout(Math.max(0, at - Date.now())) }
}
