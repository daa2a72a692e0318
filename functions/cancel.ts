import { createApi } from '../lib/app/create-api.ts'
import { composeAws } from '../lib/runtime/aws.ts'
import { loadExecutors } from '../lib/runtime/back-ends/load-executors.ts'
import { cancelBulkBatch, isQueueEvent } from '../lib/runtime/bulk/cancel-bulk-batch.ts'
import { loadBulkRunner } from '../lib/runtime/bulk/load-bulk-runner.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { cancelByEvent } from '../lib/runtime/events/cancel-by-event.ts'
import { accountOf } from '../lib/runtime/executions/execution-name.ts'
import { handle } from '../lib/runtime/handler.ts'
import { createHttpHandler, isHttpEvent } from '../lib/runtime/http/http-handler.ts'

const config = readConfig('cancel')
const bulkRunner = loadBulkRunner(config.QUENCH_BULK_QUEUE_URL)
const { context } = composeAws(config, { executorsFor: loadExecutors(config), bulkRunner })
const answerHttp = createHttpHandler(createApi(context), config)
const watched = { triggers: config.QUENCH_TRIGGERS, account: accountOf(config.QUENCH_STATE_MACHINE_ARN) }

/** Cancel: a request through API Gateway, a part of a bulk cancellation, an event, or what someone types. */
export const handler = handle('cancel', async (event: unknown) => {
  if (isHttpEvent(event)) return answerHttp(event)
  return isQueueEvent(event) ? cancelBulkBatch(context, event) : cancelByEvent(context, watched, event)
})
