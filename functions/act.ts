import { S3Client } from '@aws-sdk/client-s3'
import { act } from '../lib/app/act/act.ts'
import { composeAws } from '../lib/aws/compose.ts'
import { readConfig } from '../lib/aws/config.ts'
import { unpackAction } from '../lib/aws/executions/take-turn.ts'
import { handle } from '../lib/aws/handler.ts'
import { loadExecutors } from '../lib/aws/load-executors.ts'
import { createTextReader } from '../lib/aws/read-text.ts'
import { createS3ResultFiles } from '../lib/aws/result-files.ts'
import { clientOptions } from '../lib/back-ends/client-options.ts'
import { actRequest } from '../lib/schema/lambda.ts'

const config = readConfig('act')
const resultFiles = createS3ResultFiles(async () => new S3Client(clientOptions))
const executorsFor = loadExecutors(config, { readText: createTextReader(resultFiles) })
const { context } = composeAws(config, { executorsFor, resultFiles })

/** Called by the state machine: do one action of a turn. */
export const handler = handle('act', async (event: unknown) => {
  const { dispatchId, action } = actRequest.parse(event)
  await act(context, dispatchId, unpackAction(action))
})
