import { closeIfDone, giveUpBulk, resumeBulk } from '../../app/bulk/resume-bulk.ts'
import type { Context } from '../../app/context.ts'
import { tryAll } from './try-all.ts'

/** What a sweep over the bulk cancellations that are not over found. */
export interface BulkSweep {
  readonly openBulks: number
  /** Dispatches that were handed to the queue again. */
  readonly bulkResumed: number
  readonly bulkGivenUp: number
}

/** A hand-over that takes longer has died: its function has 29 s. */
const handOverMs = 60_000
/** The queue takes a quarter of an hour for 10,000 dispatches (`sqs-bulk-runner.ts`): what is with it has time. */
const workMs = 30 * 60_000
const giveUpMs = 6 * 3_600_000

/**
 * Go on with bulk cancellations whose hand-over died half-way, or whose messages got lost; note the end of those that
 * are done; after six hours, give up what is left.
 */
export async function sweepBulks(context: Context): Promise<BulkSweep> {
  const { bulks, now } = context
  const ids = await bulks.listOpen()
  const swept = { openBulks: ids.length, bulkResumed: 0, bulkGivenUp: 0 }
  await tryAll(1, ids, async (id) => {
    const bulk = await bulks.read(id)
    if (!bulk || bulk.ended) return
    const { at, handedOverAt } = bulk
    const isHandedOver = handedOverAt !== undefined
    if (now() - at > giveUpMs) swept.bulkGivenUp += await giveUpBulk(context, bulk)
    else if (now() - (handedOverAt ?? at) > (isHandedOver ? workMs : handOverMs))
      swept.bulkResumed += await resumeBulk(context, bulk)
    else if (isHandedOver) await closeIfDone(context, bulk)
  })
  return swept
}
