import { z } from 'zod'

/**
 * The part of a `Batch Job State Change` event that we read.
 *
 * Source: AWS Batch user guide, "AWS Batch job state change events": `detail` is a JobDetail; API reference,
 * ArrayPropertiesDetail: `index` is returned for children of array jobs, `size` for parents.
 */
export const batchJobEvent = z.object({
  source: z.literal('aws.batch'),
  'detail-type': z.literal('Batch Job State Change'),
  detail: z.looseObject({
    jobName: z.string(),
    jobId: z.string(),
    status: z.string(),
    arrayProperties: z.looseObject({ index: z.int().exactOptional(), size: z.int().exactOptional() }).exactOptional(),
    container: z
      .looseObject({
        environment: z
          .array(z.object({ name: z.string(), value: z.string() }))
          .exactOptional()
          .catch([]),
      })
      .exactOptional(),
  }),
})
