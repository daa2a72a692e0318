import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib'
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { QuenchConfig } from '../config.ts'
import type { QuenchFunction } from './quench-function.ts'

type ResultsBucketProps = Pick<QuenchConfig, 'name' | 'retention' | 'protectData'>

/**
 * Where jobs leave their results, under `results/`, and Braket its own, under `braket/`.
 *
 * Braket's service-linked role writes to buckets named `amazon-braket-…` and to no others.
 * Source: Braket developer guide, "Amazon Braket service-linked role".
 */
export class ResultsBucket extends Construct {
  readonly bucket: Bucket

  constructor(scope: Construct, id: string, { name, retention, protectData }: ResultsBucketProps) {
    super(scope, id)
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: `amazon-braket-${name}-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        { expiration: Duration.days(retention.resultsDays), abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
      removalPolicy: protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
  }

  /** Let a function name places in the bucket. */
  tell(target: QuenchFunction): void {
    target.setVariable('QUENCH_BUCKET', this.bucket.bucketName)
  }

  /** Let a function read results; that it may list them makes S3 say that there is none, where there is none. */
  grantRead(target: QuenchFunction): void {
    this.tell(target)
    target.allow(['s3:GetObject'], [this.bucket.arnForObjects('results/*')])
    target.allow(['s3:ListBucket'], [this.bucket.bucketArn])
  }

  /** Let a function leave there what jobs are to read. */
  grantWrite(target: QuenchFunction): void {
    this.tell(target)
    target.allow(['s3:PutObject'], [this.bucket.arnForObjects('results/*')])
  }
}
