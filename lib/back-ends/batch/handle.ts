import { z } from 'zod'

const aloneSchema = z.strictObject({ jobId: z.string(), jobQueue: z.string(), name: z.string() })

/** A job of its own, or one child of an array job: then `jobId` is the parent's. */
export const batchHandleSchema = z.union([
  aloneSchema.extend({ index: z.int().nonnegative(), size: z.int().positive() }),
  aloneSchema,
])

export type BatchHandle = z.infer<typeof aloneSchema> & {
  /** Of the child in its array, from 0. */
  readonly index?: number
  /** How many children the array has. */
  readonly size?: number
}

/** The id by which Batch knows what is behind a handle. Source: Batch user guide, "Array jobs": `parent:index`. */
export const jobIdOf = ({ jobId, index }: BatchHandle): string => (index === undefined ? jobId : `${jobId}:${index}`)
