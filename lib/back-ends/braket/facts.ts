import { z } from 'zod'
import type { ExecutorFacts } from '../executor.ts'
import { type Quota, secondsToCall } from '../pace.ts'
import type { KnownDevices } from './devices.ts'

/** Source: Braket developer guide, "Amazon Braket quotas": requests a second, and burst. */
export const cancelQuota: Quota = { perSecond: 2, burst: 20 }

/** A second of creates; a second of reads; the burst of cancels, and ten seconds more. */
export const braketTaskChunk = { submit: 20, poll: 100, cancel: 40 } as const

/** Quantum tasks on Amazon Braket, before any of them is made. */
export function braketTaskFacts({ schema }: KnownDevices) {
  return {
    name: 'braket',
    cancelSeconds,
    adopts: true,
    optionsSchema: optionsOf(schema),
    handleSchema,
    iamActions: [
      'braket:CreateQuantumTask',
      'braket:TagResource',
      'braket:GetQuantumTask',
      'braket:SearchQuantumTasks',
      'braket:CancelQuantumTask',
    ],
    chunk: braketTaskChunk,
  } satisfies ExecutorFacts
}

/** How long it takes to ask Braket to cancel `count` quantum tasks, at a quota that nobody else draws on. */
export function cancelSeconds(count: number): number {
  return secondsToCall(count, cancelQuota)
}

const optionsOf = (device: KnownDevices['schema']) =>
  z
    .strictObject({
      device,
      /** Default of the Braket SDK for a QPU. */
      shots: z.int().min(1).max(1_000_000).default(1000),
      program: z.string().min(1).exactOptional(),
      programUri: z.string().min(1).exactOptional(),
      /** Values of the program's `input` parameters. */
      inputs: z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.number()).exactOptional(),
      deviceParameters: z.record(z.string(), z.json()).exactOptional(),
      /** For the devices of the region on one machine: the same seed gives the same counts. AWS pays no heed to it. */
      seed: z.int().min(0).exactOptional(),
    })
    .refine(
      ({ program, programUri }) => (program === undefined) !== (programUri === undefined),
      'must have either program or programUri',
    )

const handleSchema = z.strictObject({
  kind: z.literal('quantum-task'),
  arn: z.string(),
  name: z.string(),
  deviceArn: z.string(),
  shots: z.int(),
})

export type TaskOptions = z.infer<ReturnType<typeof optionsOf>>
export type TaskHandle = z.infer<typeof handleSchema>
