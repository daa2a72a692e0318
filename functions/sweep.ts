import { composeAws } from '../lib/runtime/aws.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { handle } from '../lib/runtime/handler.ts'
import { loadBulkRunner } from '../lib/runtime/load-bulk-runner.ts'
import { loadExecutors } from '../lib/runtime/load-executors.ts'
import { sweepBulks } from '../lib/runtime/sweep-bulks.ts'
import { sweepDispatches } from '../lib/runtime/sweep-dispatches.ts'
import { sweepJobs } from '../lib/runtime/sweep-jobs.ts'

const config = readConfig('sweep')
const bulkRunner = loadBulkRunner(config.QUENCH_BULK_QUEUE_URL)
const aws = composeAws(config, { executorsFor: await loadExecutors(config), bulkRunner })

/** Called every five minutes: what events should have told and did not. Alarms count what this logs. */
export const handler = handle('sweep', async () => {
  const dispatches = await sweepDispatches(aws)
  const swept = { ...dispatches, ...(await sweepBulks(aws.context)), ...(await sweepJobs(aws.context)) }
  aws.context.log({ decision: 'sweep', ...swept })
  return swept
})
