import { QuenchApiError } from '../../client/errors.ts'
import { InvalidInput } from '../../domain/errors.ts'
import type { BulkCancelAnswer, BulkCancelInput } from '../../schema/bulk.ts'
import { followBulk } from '../follow/follow-bulk.ts'
import { renderMany, renderManyAnswer } from '../render/bulk.ts'
import { type ExitCode, exitCodes, type Session } from '../session.ts'

interface CancelManyOptions {
  readonly where: string
  readonly dryRun?: boolean | undefined
  readonly wait?: boolean | undefined
  readonly yes?: boolean | undefined
}

/** More dispatches may turn up between the question and the answer: then it is asked again, so often. */
const tries = 5

/** `quench cancel --where`: what is meant, a question that names the count, and the cancel of just so many. */
export async function cancelMany(
  session: Session,
  { where, dryRun, wait, yes }: CancelManyOptions,
  order: Omit<BulkCancelInput, 'where'>,
): Promise<ExitCode> {
  const { json, print } = session
  if (!dryRun && !yes && !session.ask)
    throw new InvalidInput('Nobody is there to confirm it: give --yes, or --dry-run to see what is meant.')
  for (let left = tries; ; left--) {
    const preview = await session.client().cancelMany({ where, dryRun: true })
    if (dryRun || preview.count === 0) {
      print(json ? JSON.stringify(preview) : renderMany(preview, session).join('\n'))
      return exitCodes.ok
    }
    if (!json) print(renderMany(preview, session).join('\n'))
    if (!yes && !(await session.ask?.(questionOf(preview)))) {
      session.printError('Nothing was cancelled.')
      return exitCodes.unsuccessful
    }
    const answer = await tryConfirmed(session, { ...order, where, expectedCount: preview.count }, left)
    if (answer === 'more') continue
    print(json ? JSON.stringify(answer) : renderManyAnswer(answer, { wait: wait ?? false }))
    return wait && answer.bulkId !== undefined ? followBulk(session, answer.bulkId) : exitCodes.ok
  }
}

function questionOf({ count }: BulkCancelAnswer): string {
  return count === 1 ? 'Cancel this 1 dispatch?' : `Cancel these ${count} dispatches?`
}

async function tryConfirmed(
  session: Session,
  request: BulkCancelInput,
  left: number,
): Promise<BulkCancelAnswer | 'more'> {
  try {
    return await session.client().cancelMany(request)
  } catch (error) {
    const isMore = error instanceof QuenchApiError && error.details.some(({ path }) => path === 'expectedCount')
    if (!isMore || left <= 1) throw error
    session.printError(`${error.message}.`)
    return 'more'
  }
}
