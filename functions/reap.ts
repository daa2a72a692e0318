import { composeAws } from '../lib/runtime/aws.ts'
import { loadExecutors } from '../lib/runtime/back-ends/load-executors.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { reapExecution } from '../lib/runtime/executions/reap-execution.ts'
import { handle } from '../lib/runtime/handler.ts'

const config = readConfig('reap')
const aws = composeAws(config, { executorsFor: loadExecutors(config) })

/** Called when an execution of the state machine has ended in another way than by itself. */
export const handler = handle('reap', (event: unknown) => reapExecution(aws, config.QUENCH_STATE_MACHINE_ARN, event))
