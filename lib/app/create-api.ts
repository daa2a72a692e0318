import { measureSpend } from '../domain/budget/spend.ts'
import { NotFound } from '../domain/errors.ts'
import { outcomeOf } from '../domain/settled.ts'
import { cancelRequest, redriveRequest } from '../schema/api.ts'
import { bulkCancelRequest } from '../schema/bulk.ts'
import type { PageRequest } from '../store/store.ts'
import type { Api, ListRequest } from './api.ts'
import { budgetView } from './budget/budget-view.ts'
import { readSpend } from './budget/read-spend.ts'
import { setBudget } from './budget/set-budget.ts'
import { describeBulk } from './bulk/describe-bulk.ts'
import { startBulk } from './bulk/start-bulk.ts'
import { cancelDispatch } from './cancel/cancel-dispatch.ts'
import type { Context } from './context.ts'
import { findDispatch } from './read/find-dispatch.ts'
import { offsetOf } from './read/offset-of.ts'
import { readLog } from './read/read-log.ts'
import { readResult } from './read/read-result.ts'
import { resultUriOf } from './read/result-uri.ts'
import { cancellationView, dispatchRow, dispatchView, iso, tasksOf, taskView, type ViewedAt } from './read/views.ts'
import { redriveDispatch } from './redrive/redrive-dispatch.ts'
import { submitDispatch } from './submit/submit-dispatch.ts'

/** How many pages a filtered list reads for one answer. */
const pagesRead = 10

/** The use cases behind every surface: HTTP, the console, and whatever comes later. */
export function createApi(context: Context): Api {
  const { store, policy } = context
  const viewedAt = (): ViewedAt => ({ now: context.now(), confirmSeconds: policy.confirmSeconds })

  return {
    submitDispatch: (caller, graph, key) => submitDispatch(context, caller, graph, key),
    readResult: (caller, id, taskId) => readResult(context, caller, id, taskId),
    readLog: (caller, id, taskId, place) => readLog(context, caller, id, taskId, place),

    cancelDispatch: (caller, id, request, idempotencyKey) =>
      cancelDispatch(context, caller, id, cancelRequest.parse(request), { source: 'api', idempotencyKey }),

    cancelMany: (caller, request, idempotencyKey) =>
      startBulk(context, caller, bulkCancelRequest.parse(request), { source: 'api', idempotencyKey }),
    describeBulk: (caller, id, page) => describeBulk(context, caller, id, page),

    redriveDispatch: (caller, id, request, idempotencyKey) =>
      redriveDispatch(context, caller, id, { ...redriveRequest.parse(request), idempotencyKey }),

    listDispatches: async (caller, request) => {
      const owner = caller.isAdmin ? (request.owner ?? caller.id) : caller.id
      const isWanted = filterOf(request)
      const items = []
      let { cursor } = request
      for (let read = 0; read < pagesRead; read++) {
        const page = await store.listByOwner(owner, pageRequest(request.limit - items.length, cursor))
        items.push(...page.items.map(dispatchRow).filter(isWanted))
        cursor = page.cursor
        if (cursor === undefined || items.length >= request.limit) break
      }
      return { items, ...(cursor !== undefined && { cursor }) }
    },

    describeDispatch: async (caller, id) => {
      const found = await findDispatch(store, caller, id)
      const isRunning = found.status === 'running'
      const graph = await store.readGraph(found.id)
      const live = isRunning ? await store.readLive(found.id) : []
      // After the live tasks: what is settled in between would be in neither, and seem to wait for its start.
      const dispatch = (isRunning && (await store.readDispatch(found.id))) || found
      const cancellations = await store.listCancellations(dispatch.id)
      const post = graph.tasks.find((task) => task.postProcess && outcomeOf(dispatch, task.id) === 'succeeded')
      const [run] = post ? await store.readRuns(dispatch.id, [post.id]) : []
      const result = post && run && resultUriOf(context, dispatch.id, graph, post, run.attempt)
      const open = live.filter((run) => outcomeOf(dispatch, run.id) === undefined)
      const spend = measureSpend({ settled: dispatch.spent, graph, live: open }, policy.priceOf, context.now())
      return dispatchView({ dispatch, graph, runs: live, cancellations, spend }, viewedAt(), result)
    },

    describeBudget: async (caller, id) => {
      const dispatch = await findDispatch(store, caller, id)
      return budgetView(dispatch, await readSpend(context, dispatch))
    },
    setBudget: (caller, id, budget) => setBudget(context, caller, id, budget),

    listTasks: async (caller, id, { limit, cursor }) => {
      const dispatch = await findDispatch(store, caller, id)
      const graph = await store.readGraph(dispatch.id)
      const from = offsetOf(cursor)
      const all = tasksOf(dispatch, graph)
      const tasks = all.slice(from, from + limit)
      const runs = await store.readRuns(
        dispatch.id,
        tasks.map((task) => task.id),
      )
      const runOf = new Map(runs.map((run) => [run.id, run]))
      const at = viewedAt()
      const items = tasks.map((task) =>
        taskView(dispatch, task, runOf.get(task.id), at, (attempt) =>
          resultUriOf(context, dispatch.id, graph, task, attempt),
        ),
      )
      return { items, ...(from + limit < all.length && { cursor: String(from + limit) }) }
    },

    listEvents: async (caller, id, page) => {
      const dispatch = await findDispatch(store, caller, id)
      const { items, ...rest } = await store.listEvents(dispatch.id, page)
      return { items: items.map(({ at, lines }) => ({ at: iso(at), lines })), ...rest }
    },

    describeCancellation: async (caller, id, cancellationId) => {
      const dispatch = await findDispatch(store, caller, id)
      const record = await store.readCancellation(dispatch.id, cancellationId)
      if (!record) throw new NotFound(`dispatch ${dispatch.id} has no cancellation ${cancellationId}`)
      // The live tasks first: what is settled between the two reads is then counted, and not missed.
      const live = await store.readLive(dispatch.id)
      return cancellationView(record, (await store.readDispatch(dispatch.id)) ?? dispatch, live, viewedAt())
    },
  }
}

/** Children are shown with their parents, not beside them. */
function filterOf({ status, tag }: ListRequest): (row: ReturnType<typeof dispatchRow>) => boolean {
  const cut = tag?.indexOf('=') ?? -1
  return (row) =>
    row.parent === undefined &&
    (status === undefined || row.state === status) &&
    (tag === undefined || row.tags[tag.slice(0, cut)] === tag.slice(cut + 1))
}

function pageRequest(limit: number, cursor: string | undefined): PageRequest {
  return { limit, ...(cursor !== undefined && { cursor }) }
}
