import { RemovalPolicy } from 'aws-cdk-lib'
import { CfnTable, StreamViewType } from 'aws-cdk-lib/aws-dynamodb'
import { Construct } from 'constructs'
import { indexes, tableDefinition } from '../../lib/store/dynamo/table.ts'
import type { QuenchFunction } from './quench-function.ts'

interface DispatchTableProps {
  readonly protectData: boolean
}

type Index = keyof typeof indexes

/** The one table. Keys and indexes are those of `lib/store/dynamo/table.ts`, which the tests and the embedded server use too. */
export class DispatchTable extends Construct {
  readonly tableName: string
  readonly tableArn: string
  readonly streamArn: string

  constructor(scope: Construct, id: string, { protectData }: DispatchTableProps) {
    super(scope, id)
    const definition = tableDefinition('named by CloudFormation')
    const table = new CfnTable(this, 'Table', {
      billingMode: definition.BillingMode,
      attributeDefinitions: definition.AttributeDefinitions.map(({ AttributeName, AttributeType }) => ({
        attributeName: AttributeName,
        attributeType: AttributeType,
      })),
      keySchema: keySchema(definition),
      localSecondaryIndexes: definition.LocalSecondaryIndexes.map(indexOf),
      globalSecondaryIndexes: definition.GlobalSecondaryIndexes.map(indexOf),
      timeToLiveSpecification: { attributeName: 'ttl', enabled: true },
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtectionEnabled: protectData,
      streamSpecification: { streamViewType: StreamViewType.NEW_AND_OLD_IMAGES },
    })
    table.applyRemovalPolicy(protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY)
    this.tableName = table.ref
    this.tableArn = table.attrArn
    this.streamArn = table.attrStreamArn
  }

  /** Let a function make dispatches and show them; it changes none. */
  grantSubmitAndShow(target: QuenchFunction): void {
    this.allow(target, ['GetItem', 'PutItem', 'Query', 'BatchGetItem'])
    this.allowQuery(target, ['live', 'byOwner', 'byOwnerAndId'])
  }

  /** Let a function note what it has heard of tasks. */
  grantNote(target: QuenchFunction): void {
    this.allow(target, ['PutItem', 'UpdateItem', 'Query', 'BatchGetItem'])
  }

  /** Let a function work on dispatches, and query the named indexes. */
  grantUse(target: QuenchFunction, ...queried: readonly Index[]): void {
    this.allow(target, ['GetItem', 'PutItem', 'UpdateItem', 'Query', 'BatchGetItem'])
    this.allowQuery(target, queried)
  }

  /** Let a function be told of every write, and read what it is about. */
  grantFollow(target: QuenchFunction): void {
    this.allow(target, ['GetItem', 'Query', 'BatchGetItem'])
    target.allow(['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], [this.streamArn])
    target.allow(['dynamodb:ListStreams'], ['*'])
  }

  private allow(target: QuenchFunction, operations: readonly string[]): void {
    target.setVariable('QUENCH_TABLE', this.tableName)
    target.allow(
      operations.map((operation) => `dynamodb:${operation}`),
      [this.tableArn],
    )
  }

  private allowQuery(target: QuenchFunction, queried: readonly Index[]): void {
    const arns = queried.map((index) => `${this.tableArn}/index/${indexes[index]}`)
    target.allow(['dynamodb:Query'], arns)
  }
}

type Keyed = Pick<ReturnType<typeof tableDefinition>, 'KeySchema'>
type Indexed = Keyed & { readonly IndexName: string; readonly Projection: { readonly ProjectionType: string } }

const keySchema = ({ KeySchema }: Keyed) =>
  KeySchema.map(({ AttributeName, KeyType }) => ({ attributeName: AttributeName, keyType: KeyType }))

const indexOf = (index: Indexed) => ({
  indexName: index.IndexName,
  keySchema: keySchema(index),
  projection: { projectionType: index.Projection.ProjectionType },
})
