import { RemovalPolicy } from 'aws-cdk-lib'
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import {
  HttpApi as ApiGateway,
  HttpMethod,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import type { Functions } from './functions.ts'
import type { QuenchFunction } from './quench-function.ts'

interface HttpApiProps {
  readonly config: QuenchConfig
  readonly functions: Functions
}

/**
 * The API over HTTP. Cancels, and redrives, which may have to stop jobs, go to a function of their own, so that nothing
 * else that is asked keeps them waiting.
 *
 * Who calls is known from an IAM signature, or from a bearer token where an issuer is configured; there is no route for
 * anybody else.
 */
export class HttpApi extends Construct {
  readonly gateway: ApiGateway
  readonly stage: HttpStage

  constructor(scope: Construct, id: string, { config, functions }: HttpApiProps) {
    super(scope, id)
    const { name, jwt, throttle, retention } = config
    const { api, cancel } = functions
    this.gateway = new ApiGateway(this, 'Gateway', {
      apiName: name,
      createDefaultStage: false,
      defaultAuthorizer: authorizer(jwt),
    })
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.gateway,
      stageName: '$default',
      autoDeploy: true,
      detailedMetricsEnabled: true,
      throttle: { rateLimit: throttle.perSecond, burstLimit: throttle.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          new LogGroup(this, 'AccessLog', { retention: retention.logDays, removalPolicy: RemovalPolicy.DESTROY }),
        ),
        format: accessLogFormat,
      },
    })
    const route = (path: string, methods: HttpMethod[], target: QuenchFunction) =>
      this.gateway.addRoutes({
        path,
        methods,
        integration: new HttpLambdaIntegration(`To-${target.name}`, target.lambda, {
          payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
        }),
      })
    route('/{proxy+}', [HttpMethod.GET, HttpMethod.POST], api)
    route('/dispatches/{dispatchId}/cancellations', [HttpMethod.POST], cancel)
    // It changes a dispatch, which the other does not.
    route('/dispatches/{dispatchId}/budget', [HttpMethod.PUT], cancel)
    route('/cancellations', [HttpMethod.POST], cancel)
    route('/dispatches/{dispatchId}/redrive', [HttpMethod.POST], cancel)
    route('/dispatches/{dispatchId}/give-ups', [HttpMethod.POST], cancel)
  }
}

function authorizer(jwt: QuenchConfig['jwt']): IHttpRouteAuthorizer {
  if (!jwt) return new HttpIamAuthorizer()
  return new HttpJwtAuthorizer('Jwt', jwt.issuer, { jwtAudience: jwt.audience })
}

/** Who asked for what, and what came of it; no query strings, no bodies. */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextRequestId(),
    ip: AccessLogField.contextIdentitySourceIp(),
    caller: AccessLogField.contextIdentityUserArn(),
    subject: '$context.authorizer.claims.sub',
    time: AccessLogField.contextRequestTime(),
    method: AccessLogField.contextHttpMethod(),
    route: '$context.routeKey',
    path: AccessLogField.contextPath(),
    status: AccessLogField.contextStatus(),
    bytes: AccessLogField.contextResponseLength(),
    latencyMs: '$context.responseLatency',
    error: '$context.integrationErrorMessage',
  }),
)
