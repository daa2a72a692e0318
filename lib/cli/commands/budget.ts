import { InvalidInput } from '../../domain/errors.ts'
import type { BudgetView } from '../../schema/api.ts'
import { renderBudget } from '../render/budget.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'
import { parseUsd } from './parse-usd.ts'

interface BudgetOptions {
  readonly limit?: number
  readonly warnAt?: number
}

const helpText = `
Amounts are approximate: list prices times what Quench knows of times. At the limit the dispatch is cancelled; what its
jobs cost until they have stopped comes on top. Raising a limit does not take up again what it has cancelled.`

/** `quench budget` */
export const addBudget: AddCommand = (program, run) => {
  program
    .command('budget')
    .description('what a dispatch has spent, by back end, and what it may spend')
    .argument('<id>', 'dispatch')
    .option('--limit <usd>', 'cancel it when about this much is spent', parseUsd)
    .option('--warn-at <usd>', 'say so in its history when about this much is spent', parseUsd)
    .addHelpText('after', helpText)
    .action(run(budget))
}

async function budget(session: Session, id: string, { limit, warnAt }: BudgetOptions): Promise<ExitCode> {
  const { json, print, paint } = session
  const client = session.client()
  const change = limit !== undefined || warnAt !== undefined
  const view = change ? await setBudget(await client.budget(id)) : await client.budget(id)
  print(json ? JSON.stringify(view) : renderBudget(view, paint).join('\n'))
  return exitCodes.ok

  /** What is not given stays as it is, unless the new limit is below the old warning. */
  function setBudget({ dispatchId, limitUsd, warnAtUsd }: BudgetView): Promise<BudgetView> {
    const newLimit = limit ?? limitUsd
    if (newLimit === undefined) throw new InvalidInput('--warn-at needs a limit: give --limit as well.')
    const warning = warnAt ?? (warnAtUsd !== undefined && warnAtUsd <= newLimit ? warnAtUsd : undefined)
    return client.setBudget(dispatchId, { limitUsd: newLimit, ...(warning !== undefined && { warnAtUsd: warning }) })
  }
}
