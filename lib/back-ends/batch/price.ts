import type { JobPrice } from '../../domain/budget/price.ts'
import type { JsonObject } from '../../domain/json.ts'
import { hourly } from '../hourly.ts'
import type { Ec2Queue, FargateQueue, JobSize, Prices, QueuePrice } from '../prices.ts'
import { ec2Instance, ec2UsdPerHour } from './ec2-price.ts'
import { fargateMinimumSeconds, fargateRates } from './fargate-price.ts'

/** By what the operator says of a job's queue. */
export function batchPrices(prices: Prices): (options: JsonObject) => JobPrice | undefined {
  // A map, since a name may be one that every object has.
  const queues = new Map(Object.entries(prices.queues))
  return (options) => {
    const { vcpus, memoryMiB, gpus } = options as JobSize
    const queue = queues.get(String(options.jobQueue))
    return queue && batchJobPrice(queue, known({ vcpus, memoryMiB, gpus }))
  }
}

/** What a task leaves out must not hide the default of its queue. */
function known(size: { readonly [Key in keyof JobSize]: JobSize[Key] | undefined }): JobSize {
  return Object.fromEntries(Object.entries(size).filter(([, value]) => value !== undefined))
}

/**
 * The price of a job on a queue. Undefined where its size is not known, or what the queue runs on.
 *
 * Source: https://aws.amazon.com/batch/, as quoted on 2026-11-25: Batch is no charge of its own, only what it starts.
 */
function batchJobPrice(queue: QueuePrice, given: JobSize): JobPrice | undefined {
  const job: JobSize = { ...queue.jobDefaults, ...given }
  switch (queue.kind) {
    case 'fargate':
      return fargateJob(queue, job)
    case 'ec2':
      return ec2Job(queue, job)
    case 'usd-per-vcpu-hour': {
      const usdPerHour = byVcpuAndGb(queue.usdPerVcpuHour, queue.usdPerGbHour ?? 0, job)
      return usdPerHour === undefined ? undefined : hourly(usdPerHour)
    }
    default:
      return queue satisfies never
  }
}

function fargateJob({ region, architecture, ...own }: FargateQueue, job: JobSize): JobPrice | undefined {
  const listed = fargateRates(region, architecture)
  const usdPerVcpuHour = own.usdPerVcpuHour ?? listed?.usdPerVcpuHour
  const usdPerGbHour = own.usdPerGbHour ?? listed?.usdPerGbHour
  if (usdPerVcpuHour === undefined || usdPerGbHour === undefined) return undefined
  const usdPerHour = byVcpuAndGb(usdPerVcpuHour, usdPerGbHour, job)
  return usdPerHour === undefined ? undefined : hourly(usdPerHour, fargateMinimumSeconds)
}

/** What AWS calls a GB of memory is 1,024 MiB here as in its own examples. */
function byVcpuAndGb(usdPerVcpuHour: number, usdPerGbHour: number, { vcpus, memoryMiB }: JobSize): number | undefined {
  if (vcpus === undefined) return undefined
  if (usdPerGbHour === 0) return vcpus * usdPerVcpuHour
  return memoryMiB === undefined ? undefined : vcpus * usdPerVcpuHour + (memoryMiB / 1024) * usdPerGbHour
}

/** A job that takes all of an instance's memory keeps the rest of it from others: the largest share counts. */
function ec2Job({ instanceType, region, ...own }: Ec2Queue, job: JobSize): JobPrice | undefined {
  const listed = ec2Instance(instanceType)
  const usdPerHour = own.usdPerHour ?? ec2UsdPerHour(instanceType, region)
  const vcpus = own.vcpus ?? listed?.vcpus
  const memoryMiB = own.memoryMiB ?? listed?.memoryMiB
  const gpus = own.gpus ?? listed?.gpus ?? 0
  if (usdPerHour === undefined || vcpus === undefined || memoryMiB === undefined) return undefined
  if (job.vcpus === undefined || job.memoryMiB === undefined) return undefined
  const gpuShare = gpus > 0 ? (job.gpus ?? 0) / gpus : 0
  return hourly(usdPerHour * Math.max(job.vcpus / vcpus, job.memoryMiB / memoryMiB, gpuShare))
}
