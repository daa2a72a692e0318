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
