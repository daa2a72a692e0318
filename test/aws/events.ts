interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly authorizer?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** Who sends a request where nothing else is said. */
export const ada = 'arn:aws:sts::111122223333:assumed-role/Scientist/ada'

export const signedBy = (userArn: string) => ({
  iam: {
    accessKey: 'AKIAIOSFODNN7EXAMPLE',
    accountId: '111122223333',
    callerId: 'AIDACKCEVSQ6C2EXAMPLE',
    cognitoIdentity: null,
    principalOrgId: null,
    userArn,
    userId: 'AIDACKCEVSQ6C2EXAMPLE',
  },
})

export const withClaims = (claims: Readonly<Record<string, unknown>>) => ({ jwt: { claims, scopes: null } })

/** Source: API Gateway developer guide, "Working with AWS Lambda proxy integrations for HTTP APIs", format 2.0. */
export function httpEventOf({ method, path, body, authorizer = signedBy(ada), headers = {} }: HttpRequest) {
  const [rawPath, rawQueryString = ''] = path.split('?')
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: { host: 'id.execute-api.eu-west-1.amazonaws.com', 'content-type': 'application/json', ...headers },
    requestContext: {
      accountId: '111122223333',
      apiId: 'api-id',
      authentication: null,
      authorizer,
      domainName: 'id.execute-api.eu-west-1.amazonaws.com',
      domainPrefix: 'id',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: 1_583_348_638_390,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: false,
  }
}

/** Source: Lambda developer guide, "Using Lambda with Amazon SNS", sample event. */
export function snsEventOf(sns: {
  readonly Message: string
  readonly TopicArn: string
  readonly MessageId?: string
  readonly Timestamp?: string
}) {
  return {
    Records: [
      {
        EventVersion: '1.0',
        EventSubscriptionArn: `${sns.TopicArn}:21be56ed-a058-49f5-8c98-aedd2564c486`,
        EventSource: 'aws:sns',
        Sns: {
          SignatureVersion: '1',
          Timestamp: '2026-11-23T12:00:00.000Z',
          Signature: 'tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j...65r==',
          MessageId: '95df01b4-ee98-5cb9-9903-4c221d41eb5e',
          MessageAttributes: {},
          Type: 'Notification',
          Subject: 'TestInvoke',
          ...sns,
        },
      },
    ],
  }
}

/** Source: CloudWatch user guide, "Alarm events and EventBridge", sample event of a single-metric alarm. */
export function alarmEventOf(
  alarmName: string,
  value: string,
  { detail = {}, ...rest }: { readonly id?: string; readonly account?: string; readonly detail?: object } = {},
) {
  return {
    version: '0',
    id: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92',
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    account: '111122223333',
    time: '2026-11-23T12:00:00Z',
    region: 'eu-west-1',
    resources: [`arn:aws:cloudwatch:eu-west-1:111122223333:alarm:${alarmName}`],
    ...rest,
    detail: {
      alarmName,
      configuration: { description: 'Goes into alarm when it costs too much', metrics: [] },
      previousState: { reason: 'Unchecked', timestamp: '2026-11-23T11:00:00.000+0000', value: 'OK' },
      state: { reason: 'Threshold Crossed', timestamp: '2026-11-23T12:00:00.000+0000', value },
      ...detail,
    },
  }
}
