import { createApi } from '../lib/app/create-api.ts'
import { cancelBulkBatch, isQueueEvent } from '../lib/aws/bulk/cancel-bulk-batch.ts'
import { loadBulkRunner } from '../lib/aws/bulk/load-bulk-runner.ts'
import { composeAws } from '../lib/aws/compose.ts'
import { readConfig } from '../lib/aws/config.ts'
import { accountOf } from '../lib/aws/executions/execution-name.ts'
import { handle } from '../lib/aws/handler.ts'
import { loadExecutors } from '../lib/aws/load-executors.ts'
import { createHttpHandler, isHttpEvent } from '../lib/aws/server.ts'
import { cancelByEvent } from '../lib/aws/triggers/cancel-by-event.ts'

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
