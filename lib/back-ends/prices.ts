/**
 * What an operator says about prices. It goes before the tables of this folder; what neither has is unknown.
 *
 * All of it in US dollars.
 */
export interface Prices {
  /** By the name of the job queue. */
  readonly queues: Readonly<Record<string, QueuePrice>>
  /** By ARN, or by the short name that tasks use. */
  readonly devices: Readonly<Record<string, DevicePrice>>
  /** By instance type. */
  readonly hybridJobInstances: Readonly<Record<string, { readonly usdPerHour: number }>>
  /** By name; `cores` is how many of them a task may use, 1 by default. */
  readonly hosts: Readonly<Record<string, { readonly usdPerCoreHour: number; readonly cores?: number }>>
  readonly clusters: Readonly<Record<string, { readonly usdPerCoreHour: number }>>
}

/** What a queue's jobs run on, and so how they are billed: Batch itself costs nothing. */
export type QueuePrice = FargateQueue | Ec2Queue | VcpuQueue

export interface FargateQueue extends JobDefaults {
  readonly kind: 'fargate'
  readonly region?: string
  readonly architecture: Architecture
  readonly usdPerVcpuHour?: number
  readonly usdPerGbHour?: number
}

/** As Batch spells them in a job definition's `runtimePlatform`. */
export type Architecture = 'X86_64' | 'ARM64'

/** A job pays for the share of an instance that nobody else can have meanwhile. */
export interface Ec2Queue extends JobDefaults {
  readonly kind: 'ec2'
  readonly instanceType: string
  readonly region?: string
  readonly usdPerHour?: number
  readonly vcpus?: number
  readonly memoryMiB?: number
  readonly gpus?: number
}

interface VcpuQueue extends JobDefaults {
  readonly kind: 'usd-per-vcpu-hour'
  readonly usdPerVcpuHour: number
  /** Without it memory costs nothing. */
  readonly usdPerGbHour?: number
}

interface JobDefaults {
  /** What the job definition asks for, where a task does not. */
  readonly jobDefaults?: JobSize
}

export interface JobSize {
  readonly vcpus?: number
  readonly memoryMiB?: number
  readonly gpus?: number
}

/** A machine is paid by task and shot, a simulator by the time that it takes. */
export type DevicePrice =
  | { readonly usdPerTask: number; readonly usdPerShot: number }
  | { readonly usdPerMinute: number }
