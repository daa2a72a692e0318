import { loadBulkRunner } from '../lib/aws/bulk/load-bulk-runner.ts'
import { composeAws } from '../lib/aws/compose.ts'
import { readConfig } from '../lib/aws/config.ts'
import { handle } from '../lib/aws/handler.ts'
import { loadExecutors } from '../lib/aws/load-executors.ts'
import { sweepAll } from '../lib/aws/sweep/sweep-all.ts'

const config = readConfig('sweep')
const bulkRunner = loadBulkRunner(config.QUENCH_BULK_QUEUE_URL)
const aws = composeAws(config, { executorsFor: loadExecutors(config), bulkRunner })

/** Called every five minutes: what events should have told and did not. Alarms count what this logs. */
export const handler = handle('sweep', async () => {
  const swept = await sweepAll(aws)
  aws.context.log({ decision: 'sweep', ...swept })
  return swept
})
