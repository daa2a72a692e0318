import { readFileSync } from 'node:fs'
import { App } from 'aws-cdk-lib'
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../cdk/config.ts'
import { dispatchDefinition } from '../../cdk/dispatch-definition.ts'
import { QuenchStack } from '../../cdk/stack.ts'
import { keys } from '../../lib/store/dynamo/items.ts'
import { tableDefinition } from '../../lib/store/dynamo/table.ts'
import { matchesRule } from './event-rule.ts'
import { functionOf } from './policies.ts'
import { fullConfig, synthesise } from './template.ts'

const full = synthesise()
const smallest = synthesise({})
const one = (type: string) => {
  const found = Object.entries(full.ofType(type))
  expect(found).toHaveLength(1)
  const [[id, resource]] = found as [[string, (typeof found)[number][1]]]
  return { id, ...resource, Properties: full.resolve(resource.Properties) as Record<string, unknown> }
}
const functions = Object.values(full.ofType('AWS::Lambda::Function'))

describe('the table', () => {
  const { Properties, DeletionPolicy } = one('AWS::DynamoDB::Table')

  test('has the keys and indexes of lib/store/dynamo/table.ts', () => {
    const { TableName: _, ...definition } = tableDefinition('')
    expect(Properties).toMatchObject(definition)
  })

  test('is backed up, protected, and forgets by the attribute ttl', () => {
    expect(Properties).toMatchObject({
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    })
    expect(DeletionPolicy).toBe('Retain')
  })

  test('goes with the stack where the configuration says so', () => {
    const bare = synthesise({ protectData: false })
    const kept = Object.values(bare.resources).filter((resource) => resource.DeletionPolicy === 'Retain')
    expect(kept).toEqual([])
    expect(Object.values(bare.ofType('AWS::DynamoDB::Table'))[0]?.Properties.DeletionProtectionEnabled).toBe(false)
  })
})

describe('the results bucket', () => {
  test('is private, encrypted, and expires', () => {
    expect(one('AWS::S3::Bucket').Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: expect.anything(),
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90, Status: 'Enabled' }] },
    })
  })

  test('is talked to over TLS only', () => {
    expect(JSON.stringify(one('AWS::S3::BucketPolicy').Properties)).toContain('"aws:SecureTransport":"false"')
  })

  test("has a name that Braket's service-linked role may write to", () => {
    expect(one('AWS::S3::Bucket').Properties.BucketName).toBe('amazon-braket-quench-111122223333-eu-central-1')
  })
})

describe('every function', () => {
  test.each(functions.map(({ Properties }) => [String(Properties.Description), Properties]))(
    'has Node.js 24 on arm64, a time-out, traces and a log group of its own: %s',
    (_, properties) => {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogFormat: 'JSON' },
      })
      expect(properties.Timeout).toBeLessThanOrEqual(290)
      const { LogGroup } = properties.LoggingConfig as { LogGroup: { Ref: string } }
      expect(full.resources[LogGroup.Ref]?.Properties.RetentionInDays).toBe(30)
      const sharing = functions.filter(({ Properties }) =>
        JSON.stringify(Properties).includes(`"Ref":"${LogGroup.Ref}"`),
      )
      expect(sharing).toHaveLength(1)
    },
  )

  test('has code of its own', { timeout: 60_000 }, () => {
    const bundled = Object.values(synthesise({}, { isBundled: true }).ofType('AWS::Lambda::Function'))
    const keys = bundled.map(({ Properties }) => (Properties.Code as { S3Key: string }).S3Key)
    expect(new Set(keys).size).toBe(8)
  })

  test('answers before who calls it gives up', () => {
    const timeoutOf = (name: string) => Number(functionOf(full, name).Properties.Timeout)
    const { States } = dispatchDefinition({ turnArn: '', actArn: '', tableName: '', stateMachineArn: '' })
    expect(timeoutOf('turn')).toBeLessThan(States.Turn.TimeoutSeconds)
    expect(timeoutOf('act')).toBeLessThan(States.Act.ItemProcessor.States.Do.TimeoutSeconds)
    // Source: API Gateway developer guide, "Quotas for HTTP APIs": 30 s.
    for (const name of ['api', 'cancel']) expect(timeoutOf(name)).toBeLessThan(30)
    // Two sweeps never overlap.
    expect(timeoutOf('sweep')).toBeLessThan(300)
  })

  test('has no concurrency set aside but act and cancel, and none where the account has none', () => {
    const reserved = (template: typeof full) =>
      ['api', 'turn', 'act', 'cancel', 'job-events', 'reap', 'sweep', 'announce'].filter(
        (name) => functionOf(template, name).Properties.ReservedConcurrentExecutions !== undefined,
      )
    expect(reserved(full)).toEqual(['act', 'cancel'])
    expect(reserved(synthesise({ reservedConcurrency: false }))).toEqual([])
  })
})

describe('the state machine', () => {
  const { Properties } = one('AWS::StepFunctions::StateMachine')
  const definition = JSON.parse(String(Properties.DefinitionString)) as unknown

  test('is the dispatch definition over the resources of the stack', async () => {
    await expect(`${JSON.stringify(definition, undefined, 2)}\n`).toMatchFileSnapshot('fixtures/dispatch.asl')
  })

  test('is a standard one with logs and traces, whose logs hold no data', () => {
    expect(Properties).toMatchObject({
      StateMachineType: 'STANDARD',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
    })
  })

  test('calls the two functions, the table and itself', () => {
    const text = JSON.stringify(definition)
    for (const name of ['turn', 'act']) {
      const id = Object.entries(full.ofType('AWS::Lambda::Function')).find(
        ([, resource]) => resource === functionOf(full, name),
      )?.[0]
      expect(text).toContain(`:function:${id}"`)
    }
    expect(text).toContain(`"TableName":"${one('AWS::DynamoDB::Table').id}"`)
    expect(text).toContain(`"StateMachineArn":"arn:aws:states:eu-central-1:111122223333:stateMachine:quench-dispatch"`)
  })
})

describe('the API', () => {
  const authorisers = (template: typeof full) =>
    new Set(
      Object.values(template.ofType('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties.AuthorizationType),
    )

  test('takes IAM signatures on every route', () => {
    expect(authorisers(smallest)).toEqual(new Set(['AWS_IAM']))
  })

  test('takes tokens of the issuer on every route where one is configured', () => {
    const jwt = { issuer: 'https://id.example.com', audience: ['quench'] }
    expect(authorisers(synthesise({ jwt }))).toEqual(new Set(['JWT']))
  })

  test('is throttled and logs who asked', () => {
    const { DefaultRouteSettings, AccessLogSettings } = one('AWS::ApiGatewayV2::Stage').Properties
    expect(DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 })
    expect(JSON.stringify(AccessLogSettings)).toContain('$context.identity.userArn')
  })

  test('sends cancels, redrives and new budgets to a function of their own', () => {
    const routes = Object.values(full.ofType('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties.RouteKey)
    expect(routes.sort()).toEqual([
      'GET /{proxy+}',
      'POST /cancellations',
      'POST /dispatches/{dispatchId}/cancellations',
      'POST /dispatches/{dispatchId}/give-ups',
      'POST /dispatches/{dispatchId}/redrive',
      'POST /{proxy+}',
      'PUT /dispatches/{dispatchId}/budget',
    ])
  })
})

describe('what comes in', () => {
  test('goes through encrypted queues, whose dead letters are kept for two weeks', () => {
    const queues = Object.values(full.ofType('AWS::SQS::Queue'))
    expect(queues.filter(({ Properties }) => Properties.SqsManagedSseEnabled !== true)).toEqual([])
    const working = queues.filter(({ Properties }) => Properties.RedrivePolicy !== undefined)
    expect(working).toHaveLength(2)
    for (const queue of working) {
      const policy = queue.Properties.RedrivePolicy as { deadLetterTargetArn: { 'Fn::GetAtt': [string, string] } }
      const letters = full.resources[policy.deadLetterTargetArn['Fn::GetAtt'][0]]
      expect(letters?.Properties.MessageRetentionPeriod).toBe(14 * 24 * 3600)
    }
  })

  test('every rule keeps what it could not deliver, except the schedule', () => {
    const rules = Object.values(full.ofType('AWS::Events::Rule'))
    const careless = rules.filter(
      ({ Properties }) =>
        Properties.ScheduleExpression === undefined &&
        (Properties.Targets as { DeadLetterConfig?: unknown }[]).some((target) => !target.DeadLetterConfig),
    )
    expect(careless).toEqual([])
  })

  test('a sweep begins every five minutes', () => {
    const schedules = Object.values(full.ofType('AWS::Events::Rule')).map(
      ({ Properties }) => Properties.ScheduleExpression,
    )
    expect(schedules.filter(Boolean)).toEqual(['rate(5 minutes)'])
  })
})

describe('what goes out', () => {
  const mappings = Object.values(full.ofType('AWS::Lambda::EventSourceMapping')).map(
    ({ Properties }) => full.resolve(Properties) as Record<string, unknown>,
  )
  const mapping = mappings.find(({ EventSourceArn }) => String(EventSourceArn).includes('/stream/')) ?? {}
  const { Filters } = mapping.FilterCriteria as { Filters: { Pattern: string }[] }
  const [filter] = Filters.map(({ Pattern }) => JSON.parse(Pattern) as Record<string, unknown>)
  const letsThrough = (image: object) => matchesRule(filter ?? {}, { dynamodb: image })

  test('is what every write of the table changed, from the first one on', () => {
    expect(one('AWS::DynamoDB::Table').Properties.StreamSpecification).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' })
    expect(mapping).toMatchObject({
      StartingPosition: 'TRIM_HORIZON',
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 100,
    })
    expect(JSON.stringify(mapping.DestinationConfig)).toMatch(/OnFailure.*arn:aws:sqs:.*Announcements/)
  })

  test('is read from items of dispatches and tasks, and from no others', () => {
    expect(Filters).toHaveLength(1)
    const keysOf = (sk: string) => ({ NewImage: { pk: { S: 'DISPATCH#1' }, sk: { S: sk } } })
    expect([keys.meta('1'), keys.task('1', 3)].map(({ sk }) => letsThrough(keysOf(sk)))).toEqual([true, true])
    const others = [
      keys.wake('1'),
      keys.graph('1', 0),
      keys.pack('1', 0),
      keys.cancellation('1', 'c'),
      keys.event('1', 1, 'x'),
    ]
    expect(others.filter(({ sk }) => letsThrough(keysOf(sk)))).toEqual([])
    expect(letsThrough({ OldImage: keysOf('META').NewImage })).toBe(false)
  })
})

test('as many budgets as a configuration may have fit the variables of a function', () => {
  const budgets = Array.from({ length: 60 }, (_, n) => ({ name: `budget-${n}`, limitUsd: 100, where: 'all:true' }))
  const fits = (count: number) => {
    try {
      return parseConfig({ budgets: budgets.slice(0, count) })
    } catch {
      return undefined
    }
  }
  const most = budgets.findLastIndex((_, n) => fits(n + 1)) + 1
  expect(most).toBeGreaterThan(10)
  const template = synthesise({ budgets: budgets.slice(0, most) })
  const { Variables } = template.resolve(functionOf(template, 'cancel').Properties.Environment) as {
    Variables: Record<string, string>
  }
  const sizeBytes = Object.entries(Variables).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  expect(sizeBytes).toBeLessThanOrEqual(4096)
})

describe('bulk cancellations', () => {
  const mappings = Object.values(full.ofType('AWS::Lambda::EventSourceMapping')).map(({ Properties }) => Properties)
  const mappingOf = (template: typeof full) =>
    Object.values(template.ofType('AWS::Lambda::EventSourceMapping')).find(
      ({ Properties }) => Properties.BatchSize === 1,
    )

  test('are worked on a message at a time, five side by side, and what fails comes again', () => {
    const [mapping] = mappings.filter(({ BatchSize }) => BatchSize === 1)
    expect(mapping).toMatchObject({
      ScalingConfig: { MaximumConcurrency: 5 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    })
  })

  test('take at most half of what is set aside for cancels', () => {
    const concurrencyOf = (cancel: number) =>
      mappingOf(synthesise({ reservedConcurrency: { cancel } }))?.Properties.ScalingConfig
    expect([4, 6, 100].map(concurrencyOf)).toEqual([2, 3, 5].map((MaximumConcurrency) => ({ MaximumConcurrency })))
    expect(mappingOf(synthesise({ reservedConcurrency: false }))?.Properties.ScalingConfig).toEqual({
      MaximumConcurrency: 5,
    })
  })

  test('a message is invisible for six times as long as the function may take', () => {
    const timeout = Number(functionOf(full, 'cancel').Properties.Timeout)
    const queues = Object.values(full.ofType('AWS::SQS::Queue')).map(({ Properties }) => Properties.VisibilityTimeout)
    expect(queues).toContain(6 * timeout)
  })
})

describe('a budget of our own', () => {
  const { Properties } = one('AWS::Budgets::Budget')
  const policies = Object.values(full.ofType('AWS::SNS::TopicPolicy')).map(
    (policy) => full.resolve(policy.Properties) as { PolicyDocument: { Statement: Record<string, unknown>[] } },
  )

  test('tells its topic when so much has really been spent', () => {
    expect(Properties).toMatchObject({
      Budget: {
        BudgetName: 'h2',
        BudgetType: 'COST',
        TimeUnit: 'MONTHLY',
        BudgetLimit: { Amount: 500, Unit: 'USD' },
      },
      NotificationsWithSubscribers: [
        {
          Notification: {
            NotificationType: 'ACTUAL',
            ComparisonOperator: 'GREATER_THAN',
            Threshold: 90,
            ThresholdType: 'PERCENTAGE',
          },
          Subscribers: [{ SubscriptionType: 'SNS' }],
        },
      ],
    })
  })

  test('has a topic to which AWS Budgets may publish, for this account only', () => {
    const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    const allowing = statements.filter(
      ({ Effect, Principal }) => Effect === 'Allow' && /budgets/.test(JSON.stringify(Principal)),
    )
    expect(allowing).toEqual([
      {
        Sid: expect.any(String),
        Action: 'sns:Publish',
        Effect: 'Allow',
        Principal: { Service: 'budgets.amazonaws.com' },
        Resource: expect.any(String),
        Condition: {
          StringEquals: { 'aws:SourceAccount': '111122223333' },
          ArnLike: { 'aws:SourceArn': 'arn:aws:budgets::111122223333:*' },
        },
      },
    ])
    const [subscriber] = (Properties.NotificationsWithSubscribers as { Subscribers: { Address: string }[] }[]).flatMap(
      ({ Subscribers }) => Subscribers,
    )
    expect(subscriber?.Address).toBe(allowing[0]?.Resource)
  })

  test('is told to cancel', () => {
    const subscriptions = Object.values(full.ofType('AWS::SNS::Subscription')).map(({ Properties: one }) =>
      full.resolve(one),
    )
    const [
      {
        Subscribers: [{ Address } = { Address: '' }],
      } = { Subscribers: [] },
    ] = Properties.NotificationsWithSubscribers as { Subscribers: { Address: string }[] }[]
    expect(subscriptions).toContainEqual(expect.objectContaining({ Protocol: 'lambda', TopicArn: Address }))
  })

  test('is not there where none is configured', () => {
    expect(smallest.ofType('AWS::Budgets::Budget')).toEqual({})
    expect(Object.keys(smallest.ofType('AWS::SNS::Topic'))).toHaveLength(1)
  })
})

describe('the alarm on what we spend', () => {
  test('adds up an hour of what turns have logged', () => {
    const filters = Object.values(full.ofType('AWS::Logs::MetricFilter')).map(({ Properties }) => Properties)
    const filter = filters.find(({ MetricTransformations }) =>
      JSON.stringify(MetricTransformations).includes('SpendUsd'),
    )
    expect(filter).toMatchObject({
      FilterPattern: '{ ($.message.decision = "spend") && ($.message.spentUsd > 0) }',
      MetricTransformations: [
        { MetricName: 'SpendUsd', MetricNamespace: 'Quench/quench', MetricValue: '$.message.spentUsd' },
      ],
    })
    const alarm = Object.values(full.ofType('AWS::CloudWatch::Alarm')).find(
      ({ Properties }) => Properties.AlarmName === 'quench: Spend rate',
    )
    expect(alarm?.Properties).toMatchObject({
      MetricName: 'SpendUsd',
      Namespace: 'Quench/quench',
      Statistic: 'Sum',
      Period: 3600,
      EvaluationPeriods: 1,
      Threshold: 25,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    })
  })

  test('is not there where none is configured', () => {
    expect(JSON.stringify(smallest.ofType('AWS::CloudWatch::Alarm'))).not.toContain('SpendUsd')
  })
})

test('events that asked for nothing are counted', () => {
  const filters = Object.values(full.ofType('AWS::Logs::MetricFilter')).map(({ Properties }) => Properties)
  expect(filters).toContainEqual(
    expect.objectContaining({
      FilterPattern: '{ $.message.decision = "ignore-event" }',
      MetricTransformations: [expect.objectContaining({ MetricName: 'IgnoredEvents', MetricValue: '1' })],
    }),
  )
})

describe('alarms', () => {
  const alarms = Object.values(full.ofType('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties)
  const runbook = readFileSync('docs/runbook.md', 'utf8')
  const anchors = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'))

  test.each(alarms.map((alarm) => [String(alarm.AlarmName), alarm]))('%s: the runbook has a heading', (_, alarm) => {
    expect(anchors).toContain(String(alarm.AlarmDescription).replace('docs/runbook.md#', ''))
    expect(alarm.AlarmActions).toHaveLength(1)
    expect(alarm.TreatMissingData).toBe('notBreaching')
  })

  test('watch for what must not be missed', () => {
    const names = alarms.map(({ AlarmName }) => String(AlarmName).replace('quench: ', ''))
    const wanted = [
      'Unconfirmed jobs',
      'Leaked jobs',
      'Dead letters',
      'Late announcements',
      'Bulk dead letters',
      'Turn failures',
      'Throttled functions',
    ]
    expect(names).toEqual(expect.arrayContaining(wanted))
  })
})

test('a smallest configuration has no permission for back ends that are not there', () => {
  const policies = JSON.stringify(smallest.ofType('AWS::IAM::Policy'))
  for (const service of ['batch:', 'braket:', 'ssm:', 'iam:PassRole']) expect(policies).not.toContain(`"${service}`)
})

test('everything that can have tags is tagged', () => {
  const untaggable =
    /Policy|Permission|Route|Integration|Stage|Association|Dashboard|Mapping|EventInvokeConfig|MetricFilter|Subscription|::Rule$|GatewayAttachment/
  const bare = Object.entries(full.resources).filter(
    ([, { Type, Properties }]) => !untaggable.test(Type) && !JSON.stringify(Properties).includes('quench:stack'),
  )
  expect(bare.map(([id, { Type }]) => `${id} ${Type}`)).toEqual([])
})

test('no template needs a look into the account, so that synth works offline', () => {
  const app = new App({ context: { [BUNDLING_STACKS]: [] } })
  new QuenchStack(app, parseConfig(fullConfig))
  expect(app.synth().manifest.missing).toBeUndefined()
})
