/** What it rests on that a job has ended. */
export interface Evidence {
  /** `cgroup populated 0`, `ECHILD`, `best effort: quiet for 2 s`, `Batch: FAILED, Job terminated`. */
  readonly what: string
  /** Epoch milliseconds. */
  readonly at: number
  /** Whose clock that is: `quench`, `aws`, or the name of a host. */
  readonly clock: string
}
