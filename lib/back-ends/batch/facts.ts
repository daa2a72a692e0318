import { z } from 'zod'
import type { ExecutorFacts } from '../executor.ts'
import { batchHandleSchema } from './handle.ts'
import { maxArraySize, packProblem } from './packing.ts'

const optionsSchema = z.strictObject({
  jobQueue: z.string().min(1).default('default'),
  jobDefinition: z.string().min(1).default('default'),
  command: z.array(z.string()).min(1, 'must name a program'),
  environment: z
    .record(z.string().regex(/^(?!AWS_BATCH)[^=\0]+$/, 'must not start with AWS_BATCH, which Batch keeps'), z.string())
    .exactOptional(),
  vcpus: z.number().positive().exactOptional(),
  memoryMiB: z.int().positive().exactOptional(),
  gpus: z.int().positive().exactOptional(),
})

export type BatchOptions = z.infer<typeof optionsSchema>

/** AWS Batch, before anything of it is called. */
export const batchFacts = {
  name: 'batch',
  adopts: false,
  optionsSchema,
  handleSchema: batchHandleSchema,
  // TerminateJobs is authorised by batch:TerminateJob; tags at submit need batch:TagResource.
  iamActions: [
    'batch:SubmitJob',
    'batch:TagResource',
    'batch:TerminateJob',
    'batch:DescribeJobs',
    'batch:ListJobs',
    'logs:GetLogEvents',
  ],
  // 25 submits are half a second of SubmitJob's quota (50/s); 100 polls are one call; a whole array job must fit a
  // cancel, which is one call then. 10,000 cancels of jobs of their own are 200 calls.
  chunk: { submit: 25, poll: 100, cancel: maxArraySize },
  packing: { problem: packProblem, mayDifferInNeeds: false },
} as const satisfies ExecutorFacts
