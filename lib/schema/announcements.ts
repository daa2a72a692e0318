import { z } from 'zod'

/** The `source` of every event that Quench sends. */
export const eventSource = 'quench'

const instant = z.iso.datetime()

const common = {
  /** The same however often an event is delivered, and of no other event. */
  eventId: z.string(),
  dispatchId: z.string(),
  dispatchName: z.string(),
  owner: z.string(),
  tags: z.record(z.string(), z.string()),
  /** Dispatches that it is inside of: 0 unless it is the job of a sublattice task. */
  depth: z.int(),
}

const dispatchDetail = z.strictObject({
  ...common,
  state: z.enum(['running', 'cancelling', 'succeeded', 'failed', 'cancelled']),
  createdAt: instant,
  endedAt: instant.exactOptional(),
  taskCount: z.int(),
  /** The settled ones. */
  tasks: z.strictObject({ succeeded: z.int(), failed: z.int(), cancelled: z.int(), skipped: z.int() }),
  /** The sublattice task whose job it is. */
  parent: z.strictObject({ dispatchId: z.string(), taskId: z.int() }).exactOptional(),
})

const taskDetail = z.strictObject({
  ...common,
  taskId: z.int(),
  name: z.string(),
  executor: z.string(),
  /** The last four are final. `pending`: its attempt was given back, or failed and may be repeated. */
  state: z.enum(['pending', 'submitting', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped']),
  /** 0 where it was never submitted. */
  attempt: z.int(),
  /** When a failed attempt may be followed by the next. */
  retryAt: instant.exactOptional(),
  /** Of a sublattice: the dispatch that is its job. */
  childId: z.string().exactOptional(),
  submittedAt: instant.exactOptional(),
  startedAt: instant.exactOptional(),
  endedAt: instant.exactOptional(),
  exitCode: z.int().exactOptional(),
  failure: z.strictObject({ code: z.string(), message: z.string(), source: z.string() }).exactOptional(),
})

const endCounts = z.strictObject({
  cancelled: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  /** Given up by a redrive that did not wait for their end. */
  unconfirmed: z.int().exactOptional(),
})

const cancellationDetail = z.strictObject({
  ...common,
  cancellationId: z.string(),
  state: z.enum(['stopping', 'unconfirmed', 'confirmed']),
  scope: z.enum(['dispatch', 'tasks']),
  /** The tasks that were named, where some were; the cancellation covers what follows them as well. */
  taskIds: z.array(z.int()).exactOptional(),
  source: z.enum(['api', 'budget', 'alarm', 'console', 'parent', 'timeout']),
  actor: z.string(),
  reason: z.string(),
  mode: z.enum(['graceful', 'force']),
  graceSeconds: z.number(),
  requestedAt: instant,
  /** Tasks in scope: not settled yet; given up before they had started; with jobs that ended, by executor. */
  open: z.int(),
  abandoned: z.int(),
  ended: z.record(z.string(), endCounts),
})

/** What an event is about: its `detail-type`, and its detail. `docs/events.md` is about these. */
export const stateChangeEvent = z.discriminatedUnion('detailType', [
  z.strictObject({ detailType: z.literal('Quench Dispatch State Change'), detail: dispatchDetail }),
  z.strictObject({ detailType: z.literal('Quench Task State Change'), detail: taskDetail }),
  z.strictObject({ detailType: z.literal('Quench Cancellation State Change'), detail: cancellationDetail }),
])

export type StateChangeEvent = z.output<typeof stateChangeEvent>
