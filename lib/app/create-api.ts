import type { Api } from './api.ts'
import { describeBudget } from './budget/describe-budget.ts'
import { setBudget } from './budget/set-budget.ts'
import { describeBulk } from './bulk/describe-bulk.ts'
import { startBulk } from './bulk/start-bulk.ts'
import { cancelDispatch } from './cancel/cancel-dispatch.ts'
import { describeCancellation } from './cancel/describe-cancellation.ts'
import { giveUp } from './cancel/give-up.ts'
import type { Context } from './context.ts'
import { describeDispatch } from './read/describe-dispatch.ts'
import { listDispatches } from './read/list-dispatches.ts'
import { listHistory } from './read/list-history.ts'
import { listTasks } from './read/list-tasks.ts'
import { readLog } from './read/read-log.ts'
import { readResult } from './read/read-result.ts'
import { redriveDispatch } from './redrive/redrive-dispatch.ts'
import { submitDispatch } from './submit/submit-dispatch.ts'

/** The use cases behind every surface: HTTP, the console, and whatever comes later. A file a use case. */
export function createApi(context: Context): Api {
  return {
    submitDispatch: (...args) => submitDispatch(context, ...args),
    listDispatches: (...args) => listDispatches(context, ...args),
    describeDispatch: (...args) => describeDispatch(context, ...args),
    listTasks: (...args) => listTasks(context, ...args),
    listEvents: (...args) => listHistory(context, ...args),
    readResult: (...args) => readResult(context, ...args),
    readLog: (...args) => readLog(context, ...args),
    cancelDispatch: (caller, id, order, idempotencyKey) =>
      cancelDispatch(context, caller, id, order, { source: 'api', idempotencyKey }),
    describeCancellation: (...args) => describeCancellation(context, ...args),
    cancelMany: (caller, order, idempotencyKey) => startBulk(context, caller, order, { source: 'api', idempotencyKey }),
    describeBulk: (...args) => describeBulk(context, ...args),
    giveUp: (...args) => giveUp(context, ...args),
    redriveDispatch: (...args) => redriveDispatch(context, ...args),
    describeBudget: (...args) => describeBudget(context, ...args),
    setBudget: (...args) => setBudget(context, ...args),
  }
}
