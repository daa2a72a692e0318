import { createApi } from '../lib/app/create-api.ts'
import { composeAws } from '../lib/runtime/aws.ts'
import { cancelByEvent } from '../lib/runtime/cancel-by-event.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { handle } from '../lib/runtime/handler.ts'
import { createHttpHandler, isHttpEvent } from '../lib/runtime/http-handler.ts'
import { loadExecutors } from '../lib/runtime/load-executors.ts'

const config = readConfig('cancel')
const { context } = composeAws(config, { executorsFor: await loadExecutors(config) })
const answerHttp = createHttpHandler(createApi(context), config)

/** Cancel: a request through API Gateway, an event of EventBridge or SNS, or a payload typed into the AWS console. */
export const handler = handle('cancel', async (event: unknown) =>
  isHttpEvent(event) ? answerHttp(event) : cancelByEvent(context, config.QUENCH_TRIGGERS, event),
)
