import type { Failure } from '../failure.ts'
import type { TaskRun } from '../task-run.ts'

const code = 'Unconfirmed'

/** What is noted of a job that nobody waits for any more. */
export function unconfirmedEnd(who: string): Failure {
  return {
    code,
    message: `${who} did not wait for its end, which was never confirmed`,
    retryable: true,
    source: 'quench',
  }
}

/** Its job may still run. */
export function isGivenUp({ state, failure }: TaskRun): boolean {
  return state === 'lost' && failure?.code === code
}
