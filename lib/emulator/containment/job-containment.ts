import type { JobHold } from '../processes/job-processes.ts'
import type { Containment } from './containments.ts'
import type { Quiet } from './rung.ts'

/** What holds a job's processes together, and, once it has ended, what it rests on that nothing of it is left. */
export interface JobContainment {
  readonly containment: Containment
  /** `at` in epoch milliseconds. */
  readonly evidence?: { readonly what: string; readonly at: number }
}

/** What the record of a job keeps of it. */
export interface HoldRecord {
  /** Of a started job. */
  hold?: JobHold
  /** What its end rests on. */
  quiet?: Quiet & { readonly at: number }
}

/** Undefined for a job of which no process was started. */
export function jobContainment({ hold, quiet }: HoldRecord = {}): JobContainment | undefined {
  if (quiet) return { containment: quiet.containment, evidence: { what: quiet.what, at: quiet.at } }
  return hold && { containment: hold.containment }
}
