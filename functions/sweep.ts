import { composeAws } from '../lib/runtime/aws.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { handle } from '../lib/runtime/handler.ts'
import { loadExecutors } from '../lib/runtime/load-executors.ts'
import { sweepDispatches } from '../lib/runtime/sweep-dispatches.ts'
import { sweepJobs } from '../lib/runtime/sweep-jobs.ts'

const config = readConfig('sweep')
const aws = composeAws(config, { executorsFor: await loadExecutors(config) })

/** Called every five minutes: what events should have told and did not. Alarms count what this logs. */
export const handler = handle('sweep', async () => {
  const swept = { ...(await sweepDispatches(aws)), ...(await sweepJobs(aws.context)) }
  aws.context.log({ decision: 'sweep', ...swept })
  return swept
})
