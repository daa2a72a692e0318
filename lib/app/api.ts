import type { LogPlace } from '../back-ends/executor.ts'
import type {
  BudgetRequest,
  BudgetView,
  CancelAnswer,
  CancellationView,
  CancelOrder,
  DispatchRow,
  DispatchState,
  DispatchView,
  EventView,
  GiveUpAnswer,
  GiveUpOrder,
  LogView,
  PageView,
  RedriveAnswer,
  RedriveOrder,
  TaskView,
} from '../schema/api.ts'
import type { BulkCancelAnswer, BulkCancellationView, BulkOrder } from '../schema/bulk.ts'
import type { PageRequest } from '../store/store.ts'
import type { Caller } from './caller.ts'
import type { Result } from './read/read-result.ts'

export interface ListRequest extends PageRequest {
  readonly status?: DispatchState
  readonly owner?: string
  readonly tag?: string
}

/**
 * What callers can do: the HTTP app is a thin edge over this.
 *
 * `dispatchId` may be a unique prefix of at least four characters. Errors: InvalidInput with every problem, NotFound
 * (also for others' dispatches), Conflict.
 */
export interface Api {
  /** The graph as parsed JSON, unchecked. With an idempotency key, a second call gives the first one's dispatch. */
  submitDispatch(caller: Caller, graph: unknown, idempotencyKey?: string): Promise<{ dispatchId: string }>
  listDispatches(caller: Caller, request: ListRequest): Promise<PageView<DispatchRow>>
  describeDispatch(caller: Caller, dispatchId: string): Promise<DispatchView>
  listTasks(caller: Caller, dispatchId: string, page: PageRequest): Promise<PageView<TaskView>>
  listEvents(caller: Caller, dispatchId: string, page: PageRequest): Promise<PageView<EventView>>
  cancelDispatch(caller: Caller, dispatchId: string, order: CancelOrder, idempotencyKey?: string): Promise<CancelAnswer>
  describeBudget(caller: Caller, dispatchId: string): Promise<BudgetView>
  setBudget(caller: Caller, dispatchId: string, budget: BudgetRequest): Promise<BudgetView>
  /** Every open dispatch that a selector means; work goes on without the caller. */
  cancelMany(caller: Caller, order: BulkOrder, idempotencyKey?: string): Promise<BulkCancelAnswer>
  describeBulk(caller: Caller, bulkId: string, page: PageRequest): Promise<BulkCancellationView>
  describeCancellation(caller: Caller, dispatchId: string, cancellationId: string): Promise<CancellationView>
  /** Run again what did not succeed. With an idempotency key, a second call gives the first one's answer. */
  redriveDispatch(
    caller: Caller,
    dispatchId: string,
    order: RedriveOrder,
    idempotencyKey?: string,
  ): Promise<RedriveAnswer>
  /** Settle tasks that are unconfirmed without waiting for their jobs, which may still run. */
  giveUp(caller: Caller, dispatchId: string, order: GiveUpOrder): Promise<GiveUpAnswer>
  /** Of the dispatch (its post-processing task's) or of one task, up to 4 MiB. */
  readResult(caller: Caller, dispatchId: string, taskId?: number): Promise<Result>
  /** Of the current attempt. Conflict while there is no job yet. */
  readLog(caller: Caller, dispatchId: string, taskId: number, place: LogPlace): Promise<LogView>
}
