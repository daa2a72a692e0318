import type { Fence } from '../fence.ts'
import type { Graph, Task } from '../graph/graph.ts'
import type { Outcome, TaskRun } from '../task-run.ts'
import type { Policy } from './policy.ts'
import { retryAt } from './retry.ts'

interface Step {
  readonly outcome?: Outcome
  /** Attempt number to submit. */
  readonly submit?: number
  readonly recover?: boolean
  readonly wakeAt?: number
}

/** What one live attempt calls for. */
export function nextStep(run: TaskRun, graph: Graph, fences: readonly Fence[], policy: Policy, now: number): Step {
  const mayStart = fences.length === 0
  switch (run.state) {
    case 'succeeded':
    case 'cancelled':
      return { outcome: run.state }
    case 'failed':
    case 'lost': {
      const again = retryAt(graph.tasks[run.id] as Task, run)
      // A lost job has nothing left to stop, and a retry that will not be made was given up: both are `cancelled`.
      if (!mayStart) return { outcome: run.state === 'lost' || again !== undefined ? 'cancelled' : 'failed' }
      if (again === undefined) return { outcome: 'failed' }
      return again <= now ? { submit: run.attempt + 1 } : { wakeAt: again }
    }
    case 'released':
      if (!mayStart) return { outcome: 'cancelled' }
      return (run.notBefore ?? 0) <= now ? { submit: run.attempt } : { wakeAt: run.notBefore as number }
    case 'submitting': {
      const lookAt = mayStart ? run.claimedAt + policy.recoverSeconds * 1000 : now
      if (lookAt > now) return { wakeAt: lookAt }
      return { recover: true, wakeAt: now + policy.recoverSeconds * 1000 }
    }
    case 'queued':
    case 'running': {
      if (run.missingSince === undefined) return {}
      const lookAt = run.missingSince + policy.settleSeconds * 1000
      if (lookAt > now) return { wakeAt: lookAt }
      return { recover: true, wakeAt: now + policy.recoverSeconds * 1000 }
    }
  }
}
