import type { Api } from '../../lib/app/api.ts'
import type {
  BudgetView,
  CancelAnswer,
  CancellationView,
  DispatchView,
  EventView,
  LogView,
  RedriveAnswer,
  TaskView,
} from '../../lib/schema/api.ts'
import type { BulkCancelAnswer, BulkCancellationView } from '../../lib/schema/bulk.ts'

export const dispatchId = '3f2a8c1e-0000-4000-8000-000000000001'
export const resultUri = 'file:///results/0-1'
export const otherId = '3f2a8c1e-0000-4000-8000-000000000003'
export const bulkId = 'b01c0000-0000-4000-8000-000000000004'
export const cancellationId = 'c0ffee00-0000-4000-8000-000000000002'

/** An `Api` that keeps the calls it gets and gives canned answers, unless a test gives it others. */
export interface RecordingApi extends Api {
  readonly calls: { readonly method: string; readonly args: readonly unknown[] }[]
}

export function aRecordingApi(answers: Partial<Api> = {}): RecordingApi {
  const calls: RecordingApi['calls'] = []
  const api: Api = {
    submitDispatch: async () => ({ dispatchId }),
    listDispatches: async () => ({ items: [aDispatch()] }),
    describeDispatch: async () => aDispatch(),
    listTasks: async () => ({ items: [aTask(), aTask({ taskId: 1, name: 'reduce', needs: [0] })] }),
    listEvents: async () => ({ items: [anEvent()] }),
    cancelDispatch: async (_caller, _id, { dryRun = false }) => aCancelAnswer({ dryRun }),
    describeCancellation: async () => aCancellation(),
    giveUp: async (_caller, id) => ({ dispatchId: id, tasks: [] }),
    describeBudget: async () => aBudget(),
    setBudget: async (_caller, _id, { limitUsd }) => aBudget({ limitUsd }),
    cancelMany: async (_caller, { dryRun = false }) => aBulkAnswer({ dryRun }),
    describeBulk: async () => aBulkView(),
    redriveDispatch: async (_caller, _id, { dryRun = false }) => aRedriveAnswer({ dryRun }),
    readResult: async () => ({ uri: resultUri, bytes: new TextEncoder().encode('3.14') }),
    readLog: async (_caller, _id, _taskId, { stream, offset }) =>
      aLogPart(stream === 'stdout' ? 'hello\n' : '', offset),
    ...answers,
  }
  const record = <Args extends unknown[], Answer>(method: string, answer: (...args: Args) => Answer) => {
    return (...args: Args) => {
      calls.push({ method, args })
      return answer(...args)
    }
  }
  return {
    calls,
    submitDispatch: record('submitDispatch', api.submitDispatch),
    listDispatches: record('listDispatches', api.listDispatches),
    describeDispatch: record('describeDispatch', api.describeDispatch),
    listTasks: record('listTasks', api.listTasks),
    listEvents: record('listEvents', api.listEvents),
    cancelDispatch: record('cancelDispatch', api.cancelDispatch),
    cancelMany: record('cancelMany', api.cancelMany),
    describeBulk: record('describeBulk', api.describeBulk),
    describeCancellation: record('describeCancellation', api.describeCancellation),
    giveUp: record('giveUp', api.giveUp),
    describeBudget: record('describeBudget', api.describeBudget),
    setBudget: record('setBudget', api.setBudget),
    redriveDispatch: record('redriveDispatch', api.redriveDispatch),
    readResult: record('readResult', api.readResult),
    readLog: record('readLog', api.readLog),
  }
}

export function aBudget(change: Partial<BudgetView> = {}): BudgetView {
  return {
    dispatchId,
    limitUsd: 5,
    isExceeded: false,
    totalUsd: 1.5,
    unknownJobs: 2,
    usdPerHour: 3.6,
    overshootUsd: 0.06,
    backends: {
      batch: { settledUsd: 1, runningUsd: 0.5, committedUsd: 0, unknownJobs: 0 },
      ssh: { settledUsd: 0, runningUsd: 0, committedUsd: 0, unknownJobs: 2 },
    },
    ...change,
  }
}

export function aDispatch(change: Partial<DispatchView> = {}): DispatchView {
  return {
    dispatchId,
    name: 'pi',
    owner: 'ada',
    state: 'running',
    tags: { project: 'h2' },
    createdAt: '2026-03-01T12:00:00.000Z',
    taskCount: 2,
    settledCount: 1,
    tasks: { succeeded: 1, pending: 1 },
    cancellations: [],
    ...change,
  }
}

export function aTask(change: Partial<TaskView> = {}): TaskView {
  return { taskId: 0, name: 'split', executor: 'batch', needs: [], state: 'pending', attempt: 0, ...change }
}

export function anEvent(change: Partial<EventView> = {}): EventView {
  return { at: '2026-03-01T12:00:01.000Z', lines: ['split: submitted to batch'], ...change }
}

export function aCancelAnswer(change: Partial<CancelAnswer> = {}): CancelAnswer {
  const dryRun = change.dryRun ?? false
  return {
    ...(!dryRun && { cancellationId }),
    dispatchId,
    dryRun,
    scope: 'dispatch',
    counts: { stopping: 9, abandoned: 3, finished: 1, backends: { batch: 8, ssh: 1 } },
    targets: [],
    ...change,
  }
}

export function aRedriveAnswer(change: Partial<RedriveAnswer> = {}): RedriveAnswer {
  const dryRun = change.dryRun ?? false
  return {
    dispatchId,
    dryRun,
    reopened: 2,
    counts: { failed: 0, cancelled: 1, skipped: 1 },
    ...(dryRun && {
      unconfirmed: 0,
      tasks: [
        { taskId: 1, name: 'sample', state: 'cancelled' },
        { taskId: 2, name: 'reduce', state: 'skipped' },
      ],
    }),
    ...change,
  }
}

export function aCancellation(change: Partial<CancellationView> = {}): CancellationView {
  return {
    cancellationId,
    dispatchId,
    scope: 'dispatch',
    mode: 'graceful',
    graceSeconds: 30,
    reason: 'too dear',
    actor: 'ada',
    source: 'api',
    at: '2026-03-01T12:00:02.000Z',
    state: 'confirmed',
    abandoned: 3,
    backends: {
      batch: { requested: 8, confirmed: 8, unconfirmed: 0, cancelled: 7, succeeded: 1, failed: 0 },
    },
    ...change,
  }
}

export function aBulkAnswer(change: Partial<BulkCancelAnswer> = {}): BulkCancelAnswer {
  const dryRun = change.dryRun ?? false
  return {
    ...(!dryRun && { bulkId }),
    dryRun,
    where: 'tag:project=h2 owner:ada',
    count: 2,
    dispatches: [aDispatch(), aDispatch({ dispatchId: otherId, owner: 'grace' })].map(
      ({ tasks: _tasks, cancellations: _cancellations, ...row }) => row,
    ),
    ...change,
  }
}

export function aBulkView(change: Partial<BulkCancellationView> = {}): BulkCancellationView {
  const counts = { stopping: 1, abandoned: 0, finished: 0 }
  return {
    bulkId,
    where: 'tag:project=h2 owner:ada',
    mode: 'graceful',
    graceSeconds: 30,
    reason: 'too dear',
    actor: 'ada',
    source: 'api',
    at: '2026-03-01T12:00:02.000Z',
    state: 'done',
    total: 2,
    done: 2,
    failed: 0,
    items: [dispatchId, otherId].map((id) => ({
      dispatchId: id,
      outcome: 'done',
      cancellationId,
      counts,
      state: 'cancelled',
      confirmation: 'confirmed',
    })),
    ...change,
  }
}

/** What is left of `log` from `offset` on, of a task that has ended. */
export function aLogPart(log: string, offset: number, change: Partial<LogView> = {}): LogView {
  return { attempt: 1, hasEnded: true, text: log.slice(offset), nextOffset: log.length, ...change }
}
