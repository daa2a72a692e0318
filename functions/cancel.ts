import { createApi } from '../lib/app/create-api.ts'
import { composeAws } from '../lib/runtime/aws.ts'
import { cancelBulkBatch, isQueueEvent } from '../lib/runtime/cancel-bulk-batch.ts'
import { cancelByEvent } from '../lib/runtime/cancel-by-event.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { accountOf } from '../lib/runtime/execution-name.ts'
import { handle } from '../lib/runtime/handler.ts'
import { createHttpHandler, isHttpEvent } from '../lib/runtime/http-handler.ts'
import { loadBulkRunner } from '../lib/runtime/load-bulk-runner.ts'
import { loadExecutors } from '../lib/runtime/load-executors.ts'

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
