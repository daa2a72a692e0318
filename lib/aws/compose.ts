import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SFNClient } from '@aws-sdk/client-sfn'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { BulkRunner } from '../app/bulk-runner.ts'
import type { Context } from '../app/context.ts'
import type { ResultFiles } from '../app/result-files.ts'
import { systemDeadline } from '../app/system-deadline.ts'
import { clientOptions } from '../back-ends/client-options.ts'
import type { Executor } from '../back-ends/executor.ts'
import type { Prices } from '../back-ends/prices.ts'
import { chunks, createPriceOf } from '../back-ends/registry.ts'
import { defaultPolicy } from '../domain/turn/policy.ts'
import { createDynamoStore } from '../store/dynamo/dynamo.ts'
import { createDynamoBulks } from '../store/dynamo/dynamo-bulks.ts'
import { createWakeStore, type WakeStore } from '../store/dynamo/wake.ts'
import { logDecision } from './log-decision.ts'
import { createSfnExecutions, type SfnExecutions } from './loop.ts'

interface AwsOptions {
  readonly QUENCH_TABLE: string
  readonly QUENCH_STATE_MACHINE_ARN: string
  /** Where results go; for functions that name them. */
  readonly QUENCH_BUCKET?: string
  /** For functions that count what is spent. Without: no price is known. */
  readonly QUENCH_PRICES?: Prices
}

interface AwsParts {
  /** `load-executors.ts`. Without: the function calls no back end. */
  readonly executorsFor?: (context: () => Context) => readonly Executor[]
  /** `sqs-bulk-runner.ts`. Without: the function begins no bulk cancellation. */
  readonly bulkRunner?: BulkRunner
  /** `s3-result-files.ts`. Without: the function reads and writes no results. */
  readonly resultFiles?: ResultFiles
}

/** What a function works with. */
export interface Aws {
  readonly context: Context
  readonly wake: WakeStore
  readonly executions: SfnExecutions
}

/**
 * The composition root of every function: DynamoDB and Step Functions, and the back ends that it is given.
 *
 * It imports no back end and no S3, so that a function loads only what it calls: they are given to it. Made once for each
 * instance of a function, outside of its handler.
 */
export function composeAws(config: AwsOptions, parts: AwsParts = {}): Aws {
  const { executorsFor = () => [], resultFiles = noResultFiles, bulkRunner = noBulkRunner } = parts
  const { QUENCH_TABLE, QUENCH_STATE_MACHINE_ARN, QUENCH_BUCKET = '', QUENCH_PRICES } = config
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientOptions), {
    marshallOptions: { removeUndefinedValues: true },
  })
  const wake = createWakeStore(client, QUENCH_TABLE)
  const executions = createSfnExecutions({
    sfn: new SFNClient(clientOptions),
    stateMachineArn: QUENCH_STATE_MACHINE_ARN,
    wake,
    now: () => Date.now(),
  })
  const executors: readonly Executor[] = executorsFor(() => context)
  const context: Context = {
    store: createDynamoStore(client, QUENCH_TABLE, { claimQuota }),
    bulks: createDynamoBulks(client, QUENCH_TABLE),
    bulkRunner,
    executors: new Map(executors.map((executor) => [executor.name, executor])),
    executions,
    policy: {
      ...defaultPolicy,
      chunks,
      ...(QUENCH_PRICES && { priceOf: createPriceOf(QUENCH_PRICES) }),
    },
    now: () => Date.now(),
    sleep: (seconds) => sleep(seconds * 1000, undefined, { ref: false }),
    deadlineAt: systemDeadline,
    newId: randomUUID,
    resultUri: (dispatchId, taskId, attempt) => `s3://${QUENCH_BUCKET}/results/${dispatchId}/${taskId}/${attempt}`,
    ...resultFiles,
    concurrency: 16,
    log: logDecision,
  }
  return { context, wake, executions }
}

/**
 * A dispatch is a partition, which takes 1,000 write units a second; a claim costs two, one of them in the local index. A pack of
 * 10,000 is claimed in 25 s, with some left for whoever writes beside it.
 *
 * Source: DynamoDB developer guide, "Burst and adaptive capacity" and "Local secondary indexes", provisioned throughput.
 */
const claimQuota = { perSecond: 400, burst: 400 }

const noResultFiles: ResultFiles = { readResult: unreachable, writeText: unreachable }
const noBulkRunner: BulkRunner = { enqueue: unreachable }

function unreachable(uri: string): never {
  throw new Error(`this function has no way to ${uri}`)
}
