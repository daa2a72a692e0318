import type { Dispatch } from '../../domain/dispatch.ts'
import { NotFound } from '../../domain/errors.ts'
import { sublattice, type Task } from '../../domain/graph/graph.ts'
import { isBeforeEnd } from '../../domain/redrive/older-drive.ts'
import { countSettled } from '../../domain/settled.ts'
import type { Outcome, TaskRun } from '../../domain/task-run.ts'
import type { StateChangeEvent } from '../../schema/announcements.ts'
import type { Store } from '../../store/store.ts'
import { dispatchState, iso } from '../read/views.ts'
import { stableId } from '../stable-id.ts'
import { type CancellationState, changeOfRun, changesOfDispatch, openIn } from './state-changes.ts'

type Reads = Pick<Store, 'readDispatch' | 'readGraph' | 'readRuns' | 'readCancellation'>
type DetailOf<Type extends StateChangeEvent['detailType']> = Extract<StateChangeEvent, { detailType: Type }>['detail']
type TaskDetail = DetailOf<'Quench Task State Change'>

/** EventBridge takes 256 KB an event, and the rest of ours has limits of its own. */
const messageCharacters = 2000

/**
 * The events of one write of META.
 *
 * Ids come from `version`, which every write of META raises: told again, an event has the same id. How jobs ended is read
 * from their tasks' items: those are final once META has settled them.
 */
export async function eventsOfDispatch(
  store: Reads,
  before: Dispatch | undefined,
  after: Dispatch,
): Promise<readonly StateChangeEvent[]> {
  const { isNewState, outcomes, reopened, cancellations } = changesOfDispatch(before, after)
  const idOf = (...parts: string[]) => stableId('event', after.id, String(after.version), ...parts)
  const common = commonOf(after)
  const events: StateChangeEvent[] = []

  if (outcomes.size + reopened.length > 0) {
    const { tasks } = await store.readGraph(after.id)
    const started = [...outcomes].flatMap(([id, outcome]) => (outcome === 'skipped' ? [] : [id]))
    const ours = (await store.readRuns(after.id, started)).filter(
      (run) => !isBeforeEnd(run, after, outcomes.get(run.id) as Outcome),
    )
    const runs = new Map(ours.map((run) => [run.id, run]))
    const states: readonly (readonly [number, TaskDetail['state']])[] = [
      ...outcomes,
      ...reopened.map((id) => [id, 'pending'] as const),
    ]
    for (const [id, state] of states) {
      const detail = { eventId: idOf('task', String(id)), ...common, ...taskDetail(tasks[id] as Task, runs.get(id)) }
      events.push({ detailType: 'Quench Task State Change', detail: { ...detail, state } })
    }
  }
  for (const { fence, state } of cancellations) {
    const detail = await cancellationDetail(store, after, fence.id, state)
    const eventId = idOf('cancellation', fence.id)
    events.push({ detailType: 'Quench Cancellation State Change', detail: { eventId, ...common, ...detail } })
  }
  if (isNewState) {
    const detail = { eventId: idOf('dispatch'), ...common, ...dispatchDetail(after) }
    events.push({ detailType: 'Quench Dispatch State Change', detail })
  }
  return events
}

/** The event of one write of a task's item, if it has one. Ids come from the claim, of which every attempt has its own. */
export async function eventsOfRun(
  store: Reads,
  dispatchId: string,
  before: TaskRun | undefined,
  after: TaskRun,
): Promise<readonly StateChangeEvent[]> {
  const { tasks } = await store.readGraph(dispatchId)
  const task = tasks[after.id] as Task
  const change = changeOfRun(before, after, task)
  if (!change) return []
  const dispatch = await store.readDispatch(dispatchId)
  if (!dispatch) throw new NotFound(`there is no dispatch ${dispatchId}`)
  const detail = {
    eventId: stableId('event', dispatchId, String(after.id), after.claimId, after.state),
    ...commonOf(dispatch),
    ...taskDetail(task, after),
    state: change.state,
    ...(change.retryAt !== undefined && { retryAt: iso(change.retryAt) }),
  }
  return [{ detailType: 'Quench Task State Change', detail }]
}

function commonOf({ id, name, owner, tags, parent }: Dispatch) {
  return { dispatchId: id, dispatchName: name, owner, tags: { ...tags }, depth: parent?.depth ?? 0 }
}

function dispatchDetail(dispatch: Dispatch) {
  const { createdAt, endedAt, taskCount, parent } = dispatch
  return {
    state: dispatchState(dispatch),
    createdAt: iso(createdAt),
    ...(endedAt !== undefined && { endedAt: iso(endedAt) }),
    taskCount,
    tasks: countSettled(dispatch, taskCount),
    ...(parent && { parent: { dispatchId: parent.dispatchId, taskId: parent.taskId } }),
  }
}

function taskDetail({ id, name, executor }: Task, run: TaskRun | undefined) {
  const detail: Omit<TaskDetail, 'state' | 'eventId' | keyof ReturnType<typeof commonOf>> = {
    taskId: id,
    name,
    executor,
    attempt: run?.attempt ?? 0,
    ...(executor === sublattice && run?.handle && { childId: String(run.handle.dispatchId) }),
    ...(run?.submittedAt !== undefined && { submittedAt: iso(run.submittedAt) }),
    ...(run?.startedAt !== undefined && { startedAt: iso(run.startedAt) }),
    ...(run?.endedAt !== undefined && { endedAt: iso(run.endedAt) }),
    ...(run?.exitCode !== undefined && { exitCode: run.exitCode }),
    ...(run?.failure && { failure: failureOf(run.failure) }),
  }
  return detail
}

function failureOf({ code, message, source }: NonNullable<TaskRun['failure']>) {
  return { code, message: message.slice(0, messageCharacters), source }
}

async function cancellationDetail(store: Reads, dispatch: Dispatch, id: string, state: CancellationState) {
  const fence = dispatch.fences[id]
  // The record is put before its fence is written.
  const record = await store.readCancellation(dispatch.id, id)
  if (!fence || !record) throw new NotFound(`there is no cancellation ${id} of dispatch ${dispatch.id}`)
  return {
    cancellationId: id,
    state,
    scope: fence.scope === 'all' ? ('dispatch' as const) : ('tasks' as const),
    ...(record.taskIds && { taskIds: [...record.taskIds] }),
    source: record.source,
    actor: record.actor,
    reason: record.reason,
    mode: record.mode,
    graceSeconds: record.graceSeconds,
    requestedAt: iso(record.at),
    open: openIn(dispatch, fence),
    abandoned: fence.abandoned,
    ended: { ...fence.ended },
  }
}
