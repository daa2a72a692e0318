import { composeAws } from '../lib/runtime/aws.ts'
import { loadExecutors } from '../lib/runtime/back-ends/load-executors.ts'
import { loadBulkRunner } from '../lib/runtime/bulk/load-bulk-runner.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { handle } from '../lib/runtime/handler.ts'
import { sweepAll } from '../lib/runtime/sweep/sweep-all.ts'

const config = readConfig('sweep')
const bulkRunner = loadBulkRunner(config.QUENCH_BULK_QUEUE_URL)
const aws = composeAws(config, { executorsFor: loadExecutors(config), bulkRunner })

/** Called every five minutes: what events should have told and did not. Alarms count what this logs. */
export const handler = handle('sweep', async () => {
  const swept = await sweepAll(aws)
  aws.context.log({ decision: 'sweep', ...swept })
  return swept
})
