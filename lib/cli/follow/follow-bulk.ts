import type { BulkItemView } from '../../schema/bulk.ts'
import { renderBulkVerdict, renderProgress } from '../render/bulk.ts'
import { type ExitCode, exitCodes, type Session } from '../session.ts'
import { pace } from './pace.ts'

/** Wait until every dispatch of a bulk cancellation has been cancelled, and every job of them has ended or is overdue. */
export async function followBulk(session: Session, bulkId: string): Promise<ExitCode> {
  const { json, print, screen } = session
  const client = session.client()
  for (let polls = 0; ; polls += 1) {
    const view = await client.bulk(bulkId)
    const counts = { confirmed: 0, unconfirmed: 0, stopping: 0 }
    const failed: BulkItemView[] = []
    // Each dispatch is a read of its own: not before there is something to hear of them.
    if (view.state === 'done')
      for await (const item of client.bulkItems(bulkId)) {
        if (item.outcome === 'failed') failed.push(item)
        else if (item.confirmation === 'confirmed') counts.confirmed += 1
        else if (item.confirmation === 'unconfirmed') counts.unconfirmed += 1
        else counts.stopping += 1
      }
    const isOver = view.state === 'done' && counts.stopping === 0
    const progress = { ...view, ...counts }
    if (!json && screen) screen.draw([renderProgress(progress)])
    if (isOver) {
      const { items: _, cursor: __, ...rest } = progress
      print(json ? JSON.stringify(rest) : renderBulkVerdict(progress, failed, session.paint).join('\n'))
      return view.failed + counts.unconfirmed === 0 ? exitCodes.ok : exitCodes.unsuccessful
    }
    await pace(polls)
  }
}
