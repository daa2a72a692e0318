import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { S3Client } from '@aws-sdk/client-s3'
import { createApi } from '../lib/app/create-api.ts'
import { createLogReader } from '../lib/executors/batch/batch-log.ts'
import { composeAws } from '../lib/runtime/aws.ts'
import { loadExecutors } from '../lib/runtime/back-ends/load-executors.ts'
import { clientOptions } from '../lib/runtime/client-options.ts'
import { readConfig } from '../lib/runtime/config.ts'
import { handle } from '../lib/runtime/handler.ts'
import { createHttpHandler } from '../lib/runtime/http/http-handler.ts'
import { createS3ResultFiles } from '../lib/runtime/s3-result-files.ts'

const config = readConfig('api')
const resultFiles = createS3ResultFiles(async () => new S3Client(clientOptions))
const executorsFor = loadExecutors(config, {
  readLogStream: createLogReader(new CloudWatchLogsClient(clientOptions)),
})
const { context } = composeAws(config, { executorsFor, resultFiles })

/** The HTTP API, behind API Gateway. */
export const handler = handle('api', createHttpHandler(createApi(context), config))
