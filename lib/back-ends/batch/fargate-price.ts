import type { Architecture } from '../prices.ts'

interface FargateRates {
  readonly usdPerVcpuHour: number
  readonly usdPerGbHour: number
}

/** Source: https://aws.amazon.com/fargate/pricing/, read on 2026-11-25: by the second, and one minute at least. */
export const fargateMinimumSeconds = 60

/**
 * On-demand prices on Linux, by Region. 20 GB of storage a job come with them. Fargate Spot is not here: its price moves.
 *
 * Source: AWS price list, AmazonECS, usage types `Fargate-vCPU-Hours:perCPU`, `Fargate-GB-Hours`, `Fargate-ARM-…`, as
 * quoted on 2026-07-07 (eu-central-1), 2026-08-28 (us-east-1), 2026-09-06 (ap-northeast-1), 2026-09-10 (us-east-2) and
 * without a date (eu-west-1, eu-west-2); the page above says the same of us-east-1. us-west-2 is worked out from a public
 * tool's estimate there, which has the rates of us-east-1. All read on 2026-11-25. ARM in us-west-2 and
 * eu-central-1 was not to be found.
 */
const rates: Readonly<Record<string, Partial<Record<Architecture, FargateRates>>>> = {
  'us-east-1': {
    X86_64: { usdPerVcpuHour: 0.04048, usdPerGbHour: 0.004445 },
    ARM64: { usdPerVcpuHour: 0.03238, usdPerGbHour: 0.00356 },
  },
  'us-east-2': {
    X86_64: { usdPerVcpuHour: 0.04048, usdPerGbHour: 0.004445 },
    ARM64: { usdPerVcpuHour: 0.03238, usdPerGbHour: 0.00356 },
  },
  'us-west-2': { X86_64: { usdPerVcpuHour: 0.04048, usdPerGbHour: 0.004445 } },
  'eu-west-1': {
    X86_64: { usdPerVcpuHour: 0.04048, usdPerGbHour: 0.004445 },
    ARM64: { usdPerVcpuHour: 0.03238, usdPerGbHour: 0.00356 },
  },
  'eu-west-2': {
    X86_64: { usdPerVcpuHour: 0.04656, usdPerGbHour: 0.00511 },
    ARM64: { usdPerVcpuHour: 0.03725, usdPerGbHour: 0.00409 },
  },
  'eu-central-1': { X86_64: { usdPerVcpuHour: 0.04656, usdPerGbHour: 0.00511 } },
  'ap-northeast-1': {
    X86_64: { usdPerVcpuHour: 0.05056, usdPerGbHour: 0.00553 },
    ARM64: { usdPerVcpuHour: 0.04045, usdPerGbHour: 0.00442 },
  },
}

/** What Fargate charges in a Region; undefined for one that the table does not know. */
export function fargateRates(region: string | undefined, architecture: Architecture): FargateRates | undefined {
  return rates[region ?? '']?.[architecture]
}
