/** Who works on bulk cancellations, without whoever asked for them: calls `cancelOneOfBulk` for each dispatch. */
export interface BulkRunner {
  /**
   * Take these dispatches of a bulk cancellation on. Returning means that they are not forgotten; asked twice, they are
   * looked at twice, which does no harm.
   */
  enqueue(bulkId: string, dispatchIds: readonly string[]): Promise<void>
}
