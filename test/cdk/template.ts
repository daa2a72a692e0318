import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api'
import { parseConfig } from '../../cdk/config.ts'
import { noticeNames } from '../../cdk/notices.ts'
import { QuenchStack } from '../../cdk/stack.ts'

export interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DeletionPolicy?: string
}

/** A template with its resources by logical id. */
export interface Synthesised {
  readonly resources: Readonly<Record<string, Resource>>
  /** The resources of a type, by logical id. */
  ofType(type: string): Readonly<Record<string, Resource>>
  /** What stands for a value once it is deployed: intrinsic functions are resolved, ARNs made up. */
  resolve(value: unknown): unknown
}

/** Where the stack of the tests is. */
export const place = { account: '111122223333', region: 'eu-central-1', partition: 'aws' }

/** Everything that can be configured. */
export const fullConfig = {
  name: 'quench',
  account: place.account,
  region: place.region,
  batch: { jobQueues: ['gpu'], jobDefinitions: ['sim'], fargate: {} },
  braket: {
    devices: { ankaa: 'arn:aws:braket:us-west-1::device/qpu/rigetti/Ankaa-3' },
    jobRoleArn: 'arn:aws:iam::111122223333:role/service-role/AmazonBraketJobsExecutionRole',
  },
  hosts: { 'lab-1': { instanceId: 'i-0123456789abcdef0' }, 'lab-2': { instanceId: 'mi-0123456789abcdef1' } },
  clusters: { hpc: { instanceId: 'i-0123456789abcdef2', user: 'quench' } },
  admins: { principals: ['arn:aws:iam::111122223333:role/Operators'] },
  triggers: [
    { kind: 'alarm', name: 'spend', where: 'tag:project=h2' },
    { kind: 'alarm', alarmTags: { project: 'h2' }, where: 'tag:project=h2' },
    { kind: 'request' },
    { kind: 'budget', name: 'lab', where: 'backend:braket older:1h' },
    { kind: 'budget', name: 'monthly', topicArn: 'arn:aws:sns:eu-central-1:111122223333:budgets', where: 'all:true' },
  ],
  pricing: {
    queues: { gpu: { kind: 'ec2', instanceType: 'g5.xlarge', region: place.region, usdPerHour: 1.258 } },
    hosts: { 'lab-1': { usdPerCoreHour: 0.02, cores: 8 } },
    clusters: { hpc: { usdPerCoreHour: 0.01 } },
  },
  budgets: [{ name: 'h2', limitUsd: 500, atPercent: 90, where: 'tag:project=h2' }],
  spendAlarm: { usdPerHour: 25, where: 'all:true' },
  alarmEmails: ['ops@example.com'],
  notify: { emails: ['lab@example.com'], on: [...noticeNames] },
}

/** Synthesise the stack of a configuration; the code of its functions is left out where nothing is said. */
export function synthesise(config: unknown = fullConfig, { isBundled = false } = {}): Synthesised {
  const app = new App({ context: isBundled ? {} : { [BUNDLING_STACKS]: [] } })
  return readTemplate(Template.fromStack(new QuenchStack(app, parseConfig(config))).toJSON())
}

export function readTemplate(template: { Resources?: Record<string, Resource> }): Synthesised {
  const resources = template.Resources ?? {}
  const resolve = createResolver(resources)
  return {
    resources,
    ofType: (type) => Object.fromEntries(Object.entries(resources).filter(([, { Type }]) => Type === type)),
    resolve,
  }
}

const pseudo: Readonly<Record<string, string>> = {
  'AWS::AccountId': place.account,
  'AWS::Region': place.region,
  'AWS::Partition': place.partition,
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'quench',
  'AWS::StackId': `arn:aws:cloudformation:${place.region}:${place.account}:stack/quench/1`,
  'AWS::NoValue': '',
}

function createResolver(resources: Readonly<Record<string, Resource>>) {
  const nameOf = (id: string, property: string): string => {
    const given = resources[id]?.Properties?.[property]
    return given === undefined ? id : String(resolve(given))
  }

  const ref = (id: string): string => {
    if (pseudo[id] !== undefined) return pseudo[id]
    switch (resources[id]?.Type) {
      case 'AWS::S3::Bucket':
        return nameOf(id, 'BucketName')
      case 'AWS::Logs::LogGroup':
        return nameOf(id, 'LogGroupName')
      case 'AWS::SNS::Topic':
      case 'AWS::StepFunctions::StateMachine':
        return arnOf(id)
      case 'AWS::SQS::Queue':
        return `https://sqs.${place.region}.amazonaws.com/${place.account}/${id}`
      default:
        return id
    }
  }

  const arnOf = (id: string): string => {
    const arn = (service: string, rest: string) => `arn:aws:${service}:${place.region}:${place.account}:${rest}`
    const type = resources[id]?.Type
    switch (type) {
      case 'AWS::DynamoDB::Table':
        return arn('dynamodb', `table/${id}`)
      case 'AWS::Lambda::Function':
        return arn('lambda', `function:${id}`)
      case 'AWS::S3::Bucket':
        return `arn:aws:s3:::${ref(id)}`
      case 'AWS::Logs::LogGroup':
        return arn('logs', `log-group:${ref(id)}:*`)
      case 'AWS::SQS::Queue':
        return arn('sqs', id)
      case 'AWS::SNS::Topic':
        return arn('sns', id)
      case 'AWS::StepFunctions::StateMachine':
        return arn('states', `stateMachine:${nameOf(id, 'StateMachineName')}`)
      case 'AWS::Events::Rule':
        return arn('events', `rule/${id}`)
      case 'AWS::IAM::Role':
        return `arn:aws:iam::${place.account}:role/${id}`
      default:
        throw new Error(`no ARN is known of ${id}, ${type}`)
    }
  }

  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve)
    if (value === null || typeof value !== 'object') return value
    const entries = Object.entries(value)
    const [[key, argument] = ['', undefined]] = entries
    if (entries.length === 1 && key === 'Ref') return ref(String(argument))
    if (entries.length === 1 && key === 'Fn::GetAtt') {
      const [id, attribute] = argument as [string, string]
      if (attribute === 'StreamArn') return `${arnOf(id)}/stream/2026-11-23T12:00:00.000`
      return attribute === 'Arn' ? arnOf(id) : `${id}.${attribute}`
    }
    if (entries.length === 1 && key === 'Fn::Join') {
      const [separator, parts] = argument as [string, unknown[]]
      return parts.map(resolve).join(separator)
    }
    return Object.fromEntries(entries.map(([name, inner]) => [name, resolve(inner)]))
  }
  return resolve
}
