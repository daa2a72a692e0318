import { composeAws } from '../lib/runtime/aws.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { handle } from '../lib/runtime/handler.ts'
import { loadBulkRunner } from '../lib/runtime/load-bulk-runner.ts'
import { loadExecutors } from '../lib/runtime/load-executors.ts'
import { sweepAll } from '../lib/runtime/sweep-all.ts'

const config = readConfig('sweep')
const bulkRunner = loadBulkRunner(config.QUENCH_BULK_QUEUE_URL)
const aws = composeAws(config, { executorsFor: loadExecutors(config), bulkRunner })

/** Called every five minutes: what events should have told and did not. Alarms count what this logs. */
export const handler = handle('sweep', async () => {
  const swept = await sweepAll(aws)
  aws.context.log({ decision: 'sweep', ...swept })
  return swept
})
