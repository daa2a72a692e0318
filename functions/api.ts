import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { S3Client } from '@aws-sdk/client-s3'
import { createApi } from '../lib/app/create-api.ts'
import { composeAws } from '../lib/aws/compose.ts'
import { readConfig } from '../lib/aws/config.ts'
import { handle } from '../lib/aws/handler.ts'
import { loadExecutors } from '../lib/aws/load-executors.ts'
import { createS3ResultFiles } from '../lib/aws/result-files.ts'
import { createHttpHandler } from '../lib/aws/server.ts'
import { createLogReader } from '../lib/back-ends/batch/log.ts'
import { clientOptions } from '../lib/back-ends/client-options.ts'

const config = readConfig('api')
const resultFiles = createS3ResultFiles(async () => new S3Client(clientOptions))
const executorsFor = loadExecutors(config, {
  readLogStream: createLogReader(new CloudWatchLogsClient(clientOptions)),
})
const { context } = composeAws(config, { executorsFor, resultFiles })

/** The HTTP API, behind API Gateway. */
export const handler = handle('api', createHttpHandler(createApi(context), config))
