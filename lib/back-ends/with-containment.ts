import type { Containment } from '../domain/containment.ts'
import type { Evidence } from '../domain/evidence.ts'
import type { Observation } from './executor.ts'

/**
 * What holds a job together and what its end rests on, where a back end's stand-in on this machine knows it better than
 * the answers of the back end can say; undefined for a job of which no process was started.
 */
export type ContainmentOf = (
  jobId: string,
) => { readonly containment: Containment; readonly evidence?: Omit<Evidence, 'clock'> } | undefined

/** An observation with what is known of the containment of its job. An end that was not seen has no evidence. */
export function withContainment(seen: Observation, held: ReturnType<ContainmentOf>): Observation {
  if (!held) return seen
  const { containment, evidence } = held
  const hasEnded = seen.state === 'succeeded' || seen.state === 'failed' || seen.state === 'cancelled'
  return { ...seen, containment, ...(evidence && hasEnded && { evidence: { ...evidence, clock: 'quench' } }) }
}
