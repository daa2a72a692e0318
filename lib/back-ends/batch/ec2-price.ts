interface Ec2Instance {
  readonly vcpus: number
  readonly memoryMiB: number
  readonly gpus: number
}

const gib = 1024
const size = (vcpus: number, memoryGiB: number, gpus = 0): Ec2Instance => ({ vcpus, memoryMiB: memoryGiB * gib, gpus })

/**
 * Common instance types for Batch: what they have, and their on-demand price an hour with Linux.
 *
 * Source of prices: AWS price list, AmazonEC2, us-east-1, as generated on 2026-01-19 into Karpenter's
 * `zz_generated.pricing_aws.go` (github.com/aws/karpenter-provider-aws). Source of sizes: EC2, DescribeInstanceTypes, as
 * generated into `ec2_instance_types.go` (github.com/kubernetes/autoscaler). Both read on 2026-11-25.
 */
const instances: Readonly<Record<string, readonly [usdPerHour: number, instance: Ec2Instance]>> = {
  'c5.large': [0.085, size(2, 4)],
  'c5.xlarge': [0.17, size(4, 8)],
  'c5.2xlarge': [0.34, size(8, 16)],
  'c5.4xlarge': [0.68, size(16, 32)],
  'c5.9xlarge': [1.53, size(36, 72)],
  'c5.18xlarge': [3.06, size(72, 144)],
  'c6g.large': [0.068, size(2, 4)],
  'c6g.xlarge': [0.136, size(4, 8)],
  'c6g.2xlarge': [0.272, size(8, 16)],
  'c6g.4xlarge': [0.544, size(16, 32)],
  'c6g.8xlarge': [1.088, size(32, 64)],
  'c6g.16xlarge': [2.176, size(64, 128)],
  'c6i.large': [0.085, size(2, 4)],
  'c6i.xlarge': [0.17, size(4, 8)],
  'c6i.2xlarge': [0.34, size(8, 16)],
  'c6i.4xlarge': [0.68, size(16, 32)],
  'c6i.8xlarge': [1.36, size(32, 64)],
  'c6i.16xlarge': [2.72, size(64, 128)],
  'm5.large': [0.096, size(2, 8)],
  'm5.xlarge': [0.192, size(4, 16)],
  'm5.2xlarge': [0.384, size(8, 32)],
  'm5.4xlarge': [0.768, size(16, 64)],
  'm5.8xlarge': [1.536, size(32, 128)],
  'm5.16xlarge': [3.072, size(64, 256)],
  'm6i.large': [0.096, size(2, 8)],
  'm6i.xlarge': [0.192, size(4, 16)],
  'm6i.2xlarge': [0.384, size(8, 32)],
  'm6i.4xlarge': [0.768, size(16, 64)],
  'm6i.8xlarge': [1.536, size(32, 128)],
  'm6i.16xlarge': [3.072, size(64, 256)],
  'r5.large': [0.126, size(2, 16)],
  'r5.xlarge': [0.252, size(4, 32)],
  'r5.2xlarge': [0.504, size(8, 64)],
  'r5.4xlarge': [1.008, size(16, 128)],
  'r5.8xlarge': [2.016, size(32, 256)],
  'r5.16xlarge': [4.032, size(64, 512)],
  'r6i.large': [0.126, size(2, 16)],
  'r6i.xlarge': [0.252, size(4, 32)],
  'r6i.2xlarge': [0.504, size(8, 64)],
  'r6i.4xlarge': [1.008, size(16, 128)],
  'r6i.8xlarge': [2.016, size(32, 256)],
  'r6i.16xlarge': [4.032, size(64, 512)],
  'g4dn.xlarge': [0.526, size(4, 16, 1)],
  'g4dn.2xlarge': [0.752, size(8, 32, 1)],
  'g4dn.4xlarge': [1.204, size(16, 64, 1)],
  'g4dn.8xlarge': [2.176, size(32, 128, 1)],
  'g4dn.12xlarge': [3.912, size(48, 192, 4)],
  'g5.xlarge': [1.006, size(4, 16, 1)],
  'g5.2xlarge': [1.212, size(8, 32, 1)],
  'g5.4xlarge': [1.624, size(16, 64, 1)],
  'g5.12xlarge': [5.672, size(48, 192, 4)],
  'g5.48xlarge': [16.288, size(192, 768, 8)],
  'p3.2xlarge': [3.06, size(8, 61, 1)],
  'p3.8xlarge': [12.24, size(32, 244, 4)],
  'p3.16xlarge': [24.48, size(64, 488, 8)],
  'p4d.24xlarge': [21.957642, size(96, 1152, 8)],
}

/** Where the table's prices hold. */
const pricedRegion = 'us-east-1'

/** What an instance has; the same in every Region. */
export function ec2Instance(instanceType: string): Ec2Instance | undefined {
  return instances[instanceType]?.[1]
}

/** What an hour of it costs; undefined for a type or a Region that the table does not know. */
export function ec2UsdPerHour(instanceType: string, region: string | undefined): number | undefined {
  return region === pricedRegion ? instances[instanceType]?.[0] : undefined
}
