import { composeAws } from '../lib/aws/compose.ts'
import { readConfig } from '../lib/aws/config.ts'
import { reapExecution } from '../lib/aws/executions/reap-execution.ts'
import { handle } from '../lib/aws/handler.ts'
import { loadExecutors } from '../lib/aws/load-executors.ts'

const config = readConfig('reap')
const aws = composeAws(config, { executorsFor: loadExecutors(config) })

/** Called when an execution of the state machine has ended in another way than by itself. */
export const handler = handle('reap', (event: unknown) => reapExecution(aws, config.QUENCH_STATE_MACHINE_ARN, event))
