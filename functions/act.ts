import { S3Client } from '@aws-sdk/client-s3'
import { act } from '../lib/app/act/act.ts'
import { composeAws } from '../lib/runtime/aws.ts'
import { loadExecutors } from '../lib/runtime/back-ends/load-executors.ts'
import { clientOptions } from '../lib/runtime/client-options.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { unpackAction } from '../lib/runtime/executions/take-turn.ts'
import { handle } from '../lib/runtime/handler.ts'
import { createTextReader } from '../lib/runtime/read-text.ts'
import { createS3ResultFiles } from '../lib/runtime/s3-result-files.ts'
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
