import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { type APIGatewayProxyResult, type LambdaContext, type LambdaEvent, handle as toLambda } from 'hono/aws-lambda'
import type { Api } from '../app/api.ts'
import { createHttpApp } from '../http/app.ts'
import { httpEvent } from '../schema/lambda.ts'
import type { Admins } from './config.ts'
import { identify } from './identify.ts'

interface PeopleConfig {
  readonly QUENCH_ADMINS: Admins
  readonly QUENCH_GROUPS_CLAIM: string
}

/** The API as a Lambda function behind an HTTP API (payload format 2.0). */
export function createHttpHandler(
  api: Api,
  { QUENCH_ADMINS: admins, QUENCH_GROUPS_CLAIM: groupsClaim }: PeopleConfig,
): (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyResult> {
  const app = createHttpApp({ api, identify: (c) => identify(c.env?.event, { admins, groupsClaim }) })
  const answer = toLambda(app)
  return (event) => answer(event as unknown as LambdaEvent, {} as LambdaContext)
}

/** Whether an event is a request through API Gateway. */
export function isHttpEvent(event: unknown): event is APIGatewayProxyEventV2 {
  return httpEvent.safeParse(event).success
}
