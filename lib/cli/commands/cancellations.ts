import { collect } from '../collect.ts'
import { followBulk } from '../follow/follow-bulk.ts'
import { renderBulk } from '../render/bulk.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'

/** `quench cancellations` */
export const addCancellations: AddCommand = (program, run) => {
  program
    .command('cancellations')
    .description('show how far a cancel of many dispatches is, and what became of each')
    .argument('<bulk-id>', 'what "cancel --where" has printed')
    .option('--wait', 'until every job is confirmed to have ended, or is overdue')
    .action(run(cancellations))
}

async function cancellations(
  session: Session,
  bulkId: string,
  { wait }: { readonly wait?: boolean },
): Promise<ExitCode> {
  if (wait) return followBulk(session, bulkId)
  const { json, print } = session
  const [view, items] = await Promise.all([session.client().bulk(bulkId), collect(session.client().bulkItems(bulkId))])
  const { cursor: _, ...rest } = view
  print(json ? JSON.stringify({ ...rest, items }) : renderBulk(view, items, session).join('\n'))
  return exitCodes.ok
}
