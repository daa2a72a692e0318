import { InvalidInput } from '../domain/errors.ts'
import {
  type BudgetRequest,
  type BudgetView,
  type CancelAnswer,
  type CancellationView,
  type CancelRequestInput,
  type DispatchRow,
  type DispatchState,
  type DispatchView,
  dispatchIdParam,
  type EventView,
  type GiveUpAnswer,
  type GiveUpRequestInput,
  type LogView,
  type PageView,
  type RedriveAnswer,
  type RedriveRequestInput,
  resultUriHeader,
  type TaskView,
} from '../schema/api.ts'
import type { BulkCancelAnswer, BulkCancelInput, BulkCancellationView, BulkItemView } from '../schema/bulk.ts'
import type { GraphInput } from '../schema/graph-file.ts'
import { authorizationFor } from './authorization.ts'
import { callApi } from './transport.ts'

interface ClientOptions {
  /** Default: `QUENCH_URL`, else the embedded server. */
  readonly url?: string
  /** Sent as a bearer token. Default: `QUENCH_TOKEN`, where no `signRegion` is given; never to the embedded server. */
  readonly token?: string
  /** Requests are signed for this AWS Region. Default: `QUENCH_SIGN`, else that of an address of API Gateway. */
  readonly signRegion?: string
  readonly fetch?: typeof globalThis.fetch
}

interface CallOptions {
  /** Two calls under one key have one effect. Default: a new one for each call, kept when the call is repeated. */
  readonly idempotencyKey?: string
}

interface ListFilter {
  readonly status?: DispatchState
  readonly owner?: string
  /** `key=value` */
  readonly tag?: string
}

interface ResultView {
  readonly uri: string
  readonly bytes: Uint8Array
}

interface LogPlace {
  readonly stream: 'stdout' | 'stderr'
  readonly offset: number
}

/**
 * The API, typed. An id may be a unique prefix of at least four characters.
 *
 * Guarantees: a broken connection is tried again, and never dispatches, cancels or redrives twice.
 * Errors: QuenchApiError, ServerUnreachable; InvalidInput for what cannot be an id.
 */
export interface QuenchClient {
  readonly url: string
  /** Dispatch a graph; gives the dispatch's id. */
  dispatch(graph: GraphInput, options?: CallOptions): Promise<string>
  /** Cancel a dispatch, or the tasks that are named and all that needs them. Returning does not mean stopped. */
  cancel(dispatchId: string, options?: CancelRequestInput & CallOptions): Promise<CancelAnswer>
  /** Cancel every open dispatch that `where` means. `expectedCount` is what a dry run has counted. */
  cancelMany(request: BulkCancelInput & CallOptions): Promise<BulkCancelAnswer>
  /** How far such a cancellation is, without its dispatches. */
  bulk(bulkId: string): Promise<BulkCancellationView>
  /** What became of each of its dispatches, read page by page. */
  bulkItems(bulkId: string): AsyncIterable<BulkItemView>
  /** Run again what did not succeed, or the tasks that are named and all that needs them. */
  redrive(dispatchId: string, options?: RedriveRequestInput & CallOptions): Promise<RedriveAnswer>
  describe(dispatchId: string): Promise<DispatchView>
  cancellation(dispatchId: string, cancellationId: string): Promise<CancellationView>
  /** What a dispatch has spent, and may spend. */
  /** Settle tasks that are unconfirmed without waiting for their jobs, which may still run. */
  giveUp(dispatchId: string, request: GiveUpRequestInput): Promise<GiveUpAnswer>
  budget(dispatchId: string): Promise<BudgetView>
  /** Give it another budget, in place of the one it has. */
  setBudget(dispatchId: string, budget: BudgetRequest): Promise<BudgetView>
  /** What the post-processing task left, or the task that is named. */
  result(dispatchId: string, taskId?: number): Promise<ResultView>
  /** A piece of a task's log; read on from its `nextOffset` until the text is empty. */
  log(dispatchId: string, taskId: number, place: LogPlace): Promise<LogView>
  /** In id order, read page by page. */
  tasks(dispatchId: string): AsyncIterable<TaskView>
  /** Oldest first, read page by page. */
  events(dispatchId: string): AsyncIterable<EventView>
  /** Newest first, read page by page. */
  list(filter?: ListFilter): AsyncIterable<DispatchRow>
}

export function createClient(options: ClientOptions = {}): QuenchClient {
  const { QUENCH_URL, QUENCH_TOKEN, QUENCH_SIGN } = process.env
  const givenUrl = options.url ?? (QUENCH_URL || undefined)
  const url = (givenUrl ?? 'http://127.0.0.1:7766').replace(/\/+$/, '')
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new InvalidInput(`"${url}" is not the address of a server; it should look like http://127.0.0.1:7766`)
  }
  const signRegion = options.signRegion ?? (QUENCH_SIGN || undefined)
  const token = options.token ?? (options.signRegion === undefined ? QUENCH_TOKEN || undefined : undefined)
  const authorization = authorizationFor(givenUrl === undefined ? { url } : { url, token, signRegion })
  const transport = { url, fetch: options.fetch ?? globalThis.fetch, authorization }

  const get = <Answer>(path: string) => callApi<Answer>(transport, { method: 'GET', path })
  const post = <Answer>(path: string, body: unknown, idempotencyKey: string = crypto.randomUUID()) =>
    callApi<Answer>(transport, { method: 'POST', path, body, idempotencyKey })

  async function* pages<Item>(path: string, query: Record<string, string>): AsyncIterable<Item> {
    let cursor: string | undefined
    do {
      const page: PageView<Item> = await get(
        `${path}?${encodeQuery({ ...query, ...(cursor !== undefined && { cursor }) })}`,
      )
      yield* page.items
      cursor = page.cursor
    } while (cursor !== undefined)
  }

  return {
    url,
    dispatch: async (graph, { idempotencyKey } = {}) => {
      const { dispatchId } = await post<{ dispatchId: string }>('/dispatches', graph, idempotencyKey)
      return dispatchId
    },
    cancel: async (dispatchId, { idempotencyKey, ...request } = {}) =>
      post(`${pathOf(dispatchId)}/cancellations`, request, idempotencyKey),
    cancelMany: async ({ idempotencyKey, ...request }) => post('/cancellations', request, idempotencyKey),
    bulk: async (bulkId) => get(`/cancellations/${encodeURIComponent(bulkId)}?limit=1`),
    bulkItems: (bulkId) => pages(`/cancellations/${encodeURIComponent(bulkId)}`, { limit: '200' }),
    redrive: async (dispatchId, { idempotencyKey, ...request } = {}) =>
      post(`${pathOf(dispatchId)}/redrive`, request, idempotencyKey),
    giveUp: async (dispatchId, request) => post(`${pathOf(dispatchId)}/give-ups`, request),
    describe: async (dispatchId) => get(pathOf(dispatchId)),
    cancellation: async (dispatchId, cancellationId) =>
      get(`${pathOf(dispatchId)}/cancellations/${encodeURIComponent(cancellationId)}`),
    budget: async (dispatchId) => get(`${pathOf(dispatchId)}/budget`),
    setBudget: async (dispatchId, body) =>
      callApi<BudgetView>(transport, { method: 'PUT', path: `${pathOf(dispatchId)}/budget`, body }),
    result: async (dispatchId, taskId) => {
      const path = `${pathOf(dispatchId)}${taskId === undefined ? '' : `/tasks/${taskId}`}/result`
      return callApi<ResultView>(transport, { method: 'GET', path }, ({ headers, bytes }) => {
        const uri = headers.get(resultUriHeader)
        return uri === null ? undefined : { uri, bytes }
      })
    },
    log: async (dispatchId, taskId, { stream, offset }) =>
      get(`${pathOf(dispatchId)}/tasks/${taskId}/log?stream=${stream}&offset=${offset}`),
    tasks: (dispatchId) => pages(`${pathOf(dispatchId)}/tasks`, { limit: '1000' }),
    events: (dispatchId) => pages(`${pathOf(dispatchId)}/events`, { limit: '1000' }),
    list: (filter = {}) => pages('/dispatches', { limit: '100', ...filter }),
  }
}

/** A space as %20, not as +: what is signed has one form only. */
function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}

/** Checked here, so that what is no id (`..`) cannot lead to another route. */
function pathOf(dispatchId: string): string {
  const id = dispatchIdParam.safeParse(dispatchId)
  if (id.success) return `/dispatches/${id.data}`
  const reason = id.error.issues.map(({ message }) => message).join('; ')
  throw new InvalidInput(`"${dispatchId}" ${reason}.`)
}
