import type { BulkRunner } from '../../app/bulk-runner.ts'

/**
 * The runner of bulk cancellations, loaded when it is asked for: most cancels need no client of SQS, and should not wait
 * for it to start.
 */
export function loadBulkRunner(queueUrl: string): BulkRunner {
  return {
    enqueue: async (bulkId, dispatchIds) => {
      const { bulkQueue } = await import('./bulk-queue.ts')
      await bulkQueue(queueUrl).enqueue(bulkId, dispatchIds)
    },
  }
}
