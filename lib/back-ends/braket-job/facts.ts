import { _InstanceType as InstanceTypes } from '@aws-sdk/client-braket'
import { z } from 'zod'
import type { KnownDevices } from '../braket/devices.ts'
import type { ExecutorFacts } from '../executor.ts'

/** Source: Braket API model, CreateJob: characters of a value of `hyperParameters`. */
export const hyperParameterCharacters = 2500

/** Five seconds of creates; five seconds of reads; the burst of cancels, and five seconds more. */
export const braketJobChunk = { submit: 5, poll: 25, cancel: 15 } as const

/** Hybrid jobs on Amazon Braket, before any of them is made. */
export function braketJobFacts({ schema }: KnownDevices) {
  return {
    name: 'braket-job',
    adopts: true,
    optionsSchema: optionsOf(schema),
    handleSchema,
    iamActions: [
      'braket:CreateJob',
      'braket:TagResource',
      'braket:GetJob',
      'braket:SearchJobs',
      'braket:CancelJob',
      'iam:PassRole',
    ],
    chunk: braketJobChunk,
  } satisfies ExecutorFacts
}

const optionsOf = (device: KnownDevices['schema']) =>
  z
    .strictObject({
      device,
      /** The script: a file or folder on one machine, an S3 URI on AWS. */
      sourceUri: z.string().min(1).exactOptional(),
      /** `algorithm.py`, `module` or `module:function` within the script's folder. */
      entryPoint: z.string().min(1).exactOptional(),
      compressionType: z.enum(['NONE', 'GZIP']).default('NONE'),
      image: z.string().min(1).exactOptional(),
      hyperParameters: z
        .record(
          z.string().regex(/^(?!QUENCH_)/, 'must not start with QUENCH_'),
          z.string().max(hyperParameterCharacters),
        )
        .exactOptional(),
      inputData: z
        .array(z.strictObject({ channelName: z.string(), uri: z.string(), contentType: z.string().exactOptional() }))
        .exactOptional(),
      instanceType: z.enum(InstanceTypes).default('ml.m5.large'),
      instanceCount: z.int().min(1).default(1),
      volumeSizeInGb: z.int().min(1).default(30),
      roleArn: z.string().min(1).exactOptional(),
    })
    .refine(
      ({ image, sourceUri, entryPoint }) =>
        (sourceUri === undefined) === (entryPoint === undefined) && (image ?? sourceUri),
      'must have sourceUri with entryPoint, or an image, or all of them',
    )

const handleSchema = z.strictObject({ kind: z.literal('hybrid-job'), arn: z.string(), name: z.string() })

export type JobOptions = z.infer<ReturnType<typeof optionsOf>>
export type JobHandle = z.infer<typeof handleSchema>
