import { z } from 'zod'
import { ec2Instance, ec2UsdPerHour } from '../back-ends/batch/ec2-price.ts'
import { fargateRates } from '../back-ends/batch/fargate-price.ts'
import type { Prices } from '../back-ends/prices.ts'

const name = z.string().min(1)
const usd = z.number().min(0)
const count = z.number().positive()

const jobDefaults = z
  .strictObject({ vcpus: count.exactOptional(), memoryMiB: count.exactOptional(), gpus: count.exactOptional() })
  .exactOptional()

const fargateQueue = z
  .strictObject({
    kind: z.literal('fargate'),
    region: name.exactOptional(),
    architecture: z.enum(['X86_64', 'ARM64']).default('X86_64'),
    usdPerVcpuHour: usd.exactOptional(),
    usdPerGbHour: usd.exactOptional(),
    jobDefaults,
  })
  .superRefine((queue, context) => {
    const message = fargateProblem(queue)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

const ec2Queue = z
  .strictObject({
    kind: z.literal('ec2'),
    instanceType: name,
    region: name.exactOptional(),
    usdPerHour: usd.exactOptional(),
    vcpus: count.exactOptional(),
    memoryMiB: count.exactOptional(),
    gpus: count.exactOptional(),
    jobDefaults,
  })
  .superRefine((queue, context) => {
    for (const message of ec2Problems(queue)) context.addIssue({ code: 'custom', message })
  })

const vcpuQueue = z.strictObject({
  kind: z.literal('usd-per-vcpu-hour'),
  usdPerVcpuHour: usd,
  usdPerGbHour: usd.exactOptional(),
  jobDefaults,
})

const device = z.union(
  [z.strictObject({ usdPerTask: usd, usdPerShot: usd }), z.strictObject({ usdPerMinute: usd })],
  'must have usdPerTask and usdPerShot, or usdPerMinute',
)

/**
 * What things cost: the file of `quench up --prices`, `pricing` of a deployment, and the variable QUENCH_PRICES.
 *
 * What would be unknown although somebody has set it up is a problem: a type or Region that the tables do not have.
 */
export const pricesSchema = z.strictObject({
  queues: z.record(name, z.discriminatedUnion('kind', [fargateQueue, ec2Queue, vcpuQueue])).default({}),
  devices: z.record(name, device).default({}),
  hybridJobInstances: z.record(name, z.strictObject({ usdPerHour: usd })).default({}),
  hosts: z.record(name, z.strictObject({ usdPerCoreHour: usd, cores: count.exactOptional() })).default({}),
  clusters: z.record(name, z.strictObject({ usdPerCoreHour: usd })).default({}),
}) satisfies z.ZodType<Prices>

function fargateProblem({
  region,
  architecture,
  usdPerVcpuHour,
  usdPerGbHour,
}: z.infer<typeof fargateQueue>): string | undefined {
  const given = [usdPerVcpuHour, usdPerGbHour].every((rate) => rate !== undefined)
  if (given || fargateRates(region, architecture)) return undefined
  const where = region === undefined ? 'without a region' : `for ${architecture} in ${region}`
  return `no price is known ${where}: give usdPerVcpuHour and usdPerGbHour`
}

function ec2Problems(queue: z.infer<typeof ec2Queue>): readonly string[] {
  const { instanceType, region, usdPerHour, vcpus, memoryMiB } = queue
  const where = region === undefined ? 'without a region' : `in ${region}`
  return [
    ...(usdPerHour === undefined && ec2UsdPerHour(instanceType, region) === undefined
      ? [`no price is known of ${instanceType} ${where}: give usdPerHour`]
      : []),
    ...((vcpus === undefined || memoryMiB === undefined) && !ec2Instance(instanceType)
      ? [`the size of ${instanceType} is not known: give vcpus and memoryMiB`]
      : []),
  ]
}
