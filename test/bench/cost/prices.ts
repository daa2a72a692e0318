import type { Unit } from './usage.ts'

interface Price {
  readonly name: string
  readonly usd: number
  /** For so many. */
  readonly per: number
  /** AWS's own page. */
  readonly page: string
  /** Where the price was read, if not there: the stored copy of AWS's page had no figures. */
  readonly readIn?: string
}

/** When the pages were read. */
export const pricesReadOn = '2026-11-25'
export const pricesRegion = 'US East (N. Virginia)'

/** On-demand prices beyond the free tiers; of the first tier where there are several. */
export const prices: Readonly<Record<Unit, Price>> = {
  stateTransitions: {
    name: 'Step Functions state transitions',
    usd: 0.025,
    per: 1000,
    page: 'https://aws.amazon.com/step-functions/pricing/',
  },
  writeUnits: {
    name: 'DynamoDB write request units',
    usd: 0.625,
    per: 1_000_000,
    page: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    readIn: 'https://airbyte.com/data-engineering-resources/dynamodb-pricing',
  },
  readUnits: {
    name: 'DynamoDB read request units',
    usd: 0.125,
    per: 1_000_000,
    page: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    readIn: 'https://airbyte.com/data-engineering-resources/dynamodb-pricing',
  },
  invocations: {
    name: 'Lambda invocations',
    usd: 0.2,
    per: 1_000_000,
    page: 'https://aws.amazon.com/lambda/pricing/',
    readIn: 'https://git.mcrn.ar/mariano/lambda_local_runner/src/branch/main/docs/lambdas-md/lambda-13-cost.md',
  },
  gbSeconds: {
    name: 'Lambda GB-seconds (arm64)',
    usd: 13.3334,
    per: 1_000_000,
    page: 'https://aws.amazon.com/lambda/pricing/',
    readIn: 'https://cloudchipr.com/blog/aws-lambda-pricing',
  },
  queueRequests: {
    name: 'SQS requests',
    usd: 0.4,
    per: 1_000_000,
    page: 'https://aws.amazon.com/sqs/pricing/',
    readIn: 'https://cloudburn.io/blog/amazon-sqs-pricing',
  },
  busEvents: {
    name: 'EventBridge events of our own',
    usd: 1,
    per: 1_000_000,
    page: 'https://aws.amazon.com/eventbridge/pricing/',
    readIn: 'https://blog.awsfundamentals.com/aws-eventbridge-pricing-guide',
  },
  apiRequests: {
    name: 'HTTP API requests',
    usd: 1,
    per: 1_000_000,
    page: 'https://aws.amazon.com/api-gateway/pricing/',
    readIn: 'https://awsforengineers.com/blog/aws-api-gateway-pricing-explained',
  },
}

export const units = Object.keys(prices) as Unit[]

export function usdOf(unit: Unit, amount: number): number {
  return (amount * prices[unit].usd) / prices[unit].per
}
