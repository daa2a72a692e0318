import { InvalidArgumentError, Option } from 'commander'
import type { DispatchState } from '../../schema/api.ts'
import { collect } from '../collect.ts'
import { renderDispatches } from '../render/dispatches.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'
import { parseCount } from './parse-count.ts'

interface LsOptions {
  readonly status?: DispatchState
  readonly owner?: string
  readonly tag?: string
  readonly limit: number
}

const states: readonly DispatchState[] = ['running', 'cancelling', 'succeeded', 'failed', 'cancelled']

/** `quench ls` */
export const addLs: AddCommand = (program, run) => {
  program
    .command('ls')
    .description('list dispatches, newest first')
    .addOption(new Option('--status <state>', 'only those in this state').choices(states))
    .option('--owner <owner>', 'only those of this owner')
    .option('--tag <key=value>', 'only those with this tag', parseTag)
    .option('--limit <n>', 'how many', parseCount({ min: 1 }), 25)
    .action(run(ls))
}

function parseTag(text: string): string {
  if (!/^[^=]+=/.test(text)) throw new InvalidArgumentError('It must be key=value.')
  return text
}

async function ls(session: Session, { limit, ...filter }: LsOptions): Promise<ExitCode> {
  const { client, json, print, paint, screen } = session
  const rows = await collect(client().list(filter), limit)
  if (json) print(JSON.stringify(rows))
  else if (rows.length > 0)
    print(renderDispatches(rows, { paint, now: Date.now(), columns: screen?.columns }).join('\n'))
  else print(Object.keys(filter).length > 0 ? 'No such dispatches.' : 'No dispatches yet. Try: quench dispatch FILE')
  return exitCodes.ok
}
