import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Cancellation } from '../../domain/cancellation.ts'
import type { Dispatch } from '../../domain/dispatch.ts'
import type { TaskRun } from '../../domain/task-run.ts'

/** How long an item outlives its last write. Longer than the year that a Step Functions execution may last. */
const retentionDays = 400
const openShards = 8

export const keys = {
  partition: (dispatchId: string) => `DISPATCH#${dispatchId}`,
  meta: (dispatchId: string) => ({ pk: keys.partition(dispatchId), sk: 'META' }),
  wake: (dispatchId: string) => ({ pk: keys.partition(dispatchId), sk: 'WAKE' }),
  graph: (dispatchId: string, chunk: number) => ({ pk: keys.partition(dispatchId), sk: `GRAPH#${padded(chunk, 2)}` }),
  task: (dispatchId: string, taskId: number) => ({ pk: keys.partition(dispatchId), sk: `TASK#${padded(taskId, 5)}` }),
  pack: (dispatchId: string, leader: number) => ({
    pk: keys.partition(dispatchId),
    sk: `PACK#${padded(leader, 5)}`,
  }),
  cancellation: (dispatchId: string, id: string) => ({ pk: keys.partition(dispatchId), sk: `CANCEL#${id}` }),
  event: (dispatchId: string, at: number, tail: string) => ({
    pk: keys.partition(dispatchId),
    sk: `EVENT#${padded(at, 14)}#${tail}`,
  }),
}

/** The DynamoDB time-to-live attribute, in epoch seconds. */
export function timeToLive(now: number): number {
  return Math.floor(now / 1000) + retentionDays * 86_400
}

/** Which shard of the index of open dispatches a dispatch is in: one hot partition would throttle its writers. */
export function openShard(dispatchId: string): string {
  return `OPEN#${(createHash('sha1').update(dispatchId).digest()[0] ?? 0) % openShards}`
}

export const allOpenShards = Array.from({ length: openShards }, (_, n) => `OPEN#${n}`)

function padded(n: number, digits: number): string {
  return String(n).padStart(digits, '0')
}

const bytes = z.instanceof(Uint8Array)
const mode = z.enum(['graceful', 'force'])
const counts = z.object({
  cancelled: z.number(),
  succeeded: z.number(),
  failed: z.number(),
  unconfirmed: z.number().exactOptional(),
})

const amounts = z.record(z.string(), z.object({ usd: z.number(), unknownJobs: z.number() }))
const source = z.enum(['api', 'budget', 'alarm', 'console', 'parent', 'timeout'])

const fence = z.object({
  id: z.string(),
  scope: z.union([z.literal('all'), bytes]),
  mode,
  graceSeconds: z.number(),
  reason: z.string(),
  source: source.optional(),
  at: z.number(),
  abandoned: z.number(),
  ended: z.record(z.string(), counts),
  unconfirmedAt: z.number().exactOptional(),
})

const metaItem = z.object({
  dispatchId: z.string(),
  name: z.string(),
  owner: z.string(),
  tags: z.record(z.string(), z.string()),
  taskCount: z.number(),
  executors: z.array(z.string()).optional(),
  status: z.enum(['running', 'succeeded', 'failed', 'cancelled']),
  createdAt: z.number(),
  endedAt: z.number().optional(),
  settled: bytes,
  skipped: bytes.optional(),
  fences: z.record(z.string(), fence.transform(exact)),
  polledAt: z.number().optional(),
  killPass: z.object({ at: z.number(), count: z.number() }).optional(),
  epoch: z.number(),
  redrives: z.number().optional(),
  redriveKey: z.string().optional(),
  reopened: z.object({ failed: z.number(), cancelled: z.number(), skipped: z.number() }).optional(),
  drivenAt: z.number().optional(),
  openedAt: z.number().optional(),
  parent: z
    .object({
      dispatchId: z.string(),
      taskId: z.number(),
      attempt: z.number(),
      depth: z.number(),
    })
    .optional(),
  budget: z
    .object({ limitUsd: z.number(), warnAtUsd: z.number().optional(), warnedAt: z.number().optional() })
    .transform(exact)
    .optional(),
  spent: amounts.optional(),
  meteredUsd: z.number().optional(),
  version: z.number(),
})

const failure = z.object({ code: z.string(), message: z.string(), retryable: z.boolean(), source: z.string() })

const taskItem = z.object({
  taskId: z.number(),
  attempt: z.number(),
  redrive: z.number().optional(),
  firstAttempt: z.number().optional(),
  executor: z.string(),
  state: z.enum(['submitting', 'released', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'lost']),
  live: z.number().optional(),
  claimId: z.string(),
  claimedAt: z.number(),
  packLeader: z.number().optional(),
  handle: z.record(z.string(), z.json()).optional(),
  submittedAt: z.number().optional(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  exitCode: z.number().optional(),
  failure: failure.optional(),
  timedOutAt: z.number().optional(),
  earlierSpend: amounts.optional(),
  childSpend: amounts.optional(),
  notBefore: z.number().optional(),
  waitReason: z.string().optional(),
  missingSince: z.number().optional(),
  away: z.object({ since: z.number(), message: z.string() }).optional(),
  searchedTo: z.number().optional(),
  cancelError: z.string().optional(),
})

/** What a new claim takes away of the attempt before it. */
export const attemptAttributes = [
  'packLeader',
  'handle',
  'submittedAt',
  'startedAt',
  'endedAt',
  'exitCode',
  'failure',
  'timedOutAt',
  'childSpend',
  'notBefore',
  'waitReason',
  'missingSince',
  'away',
  'searchedTo',
  'cancelError',
] as const satisfies readonly (keyof z.infer<typeof taskItem>)[]

const cancellationItem = z.object({
  cancellationId: z.string(),
  dispatchId: z.string(),
  taskIds: z.array(z.number()).optional(),
  mode,
  graceSeconds: z.number(),
  reason: z.string(),
  actor: z.string(),
  source,
  at: z.number(),
  idempotencyKey: z.string().optional(),
  givenUp: z
    .array(z.object({ taskIds: z.array(z.number()), actor: z.string(), reason: z.string(), at: z.number() }))
    .optional(),
  final: z.object({ abandoned: z.number(), ended: z.record(z.string(), counts) }).optional(),
})

/** Without what is undefined, as `exactOptionalPropertyTypes` wants it. */
type Exact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

export function exact<T extends object>(value: T): Exact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Exact<T>
}

export function dispatchFromItem(item: unknown): Dispatch {
  const { dispatchId, ...rest } = exact(metaItem.parse(item))
  return { id: dispatchId, ...rest }
}

export function itemFromDispatch(dispatch: Dispatch) {
  const { id, ...rest } = dispatch
  return {
    ...keys.meta(id),
    dispatchId: id,
    ...rest,
    ...(dispatch.status === 'running' && { open: openShard(id) }),
    ttl: timeToLive(dispatch.createdAt),
  }
}

export function runFromItem(item: unknown): TaskRun {
  const { taskId, live, ...rest } = exact(taskItem.parse(item))
  return { id: taskId, live: live !== undefined, ...rest }
}

export function cancellationFromItem(item: unknown): Cancellation {
  const { cancellationId, ...rest } = exact(cancellationItem.parse(item))
  return { id: cancellationId, ...rest }
}

export function itemFromCancellation({ id, ...rest }: Cancellation) {
  return { ...keys.cancellation(rest.dispatchId, id), cancellationId: id, ...rest, ttl: timeToLive(rest.at) }
}
