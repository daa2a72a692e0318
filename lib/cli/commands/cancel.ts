import { Option } from 'commander'
import { InvalidInput } from '../../domain/errors.ts'
import type { CancelAnswer, CancelRequestInput } from '../../schema/api.ts'
import { pace } from '../follow/pace.ts'
import { resolveTasks } from '../input/resolve-tasks.ts'
import {
  renderConfirmations,
  renderCounts,
  renderDelays,
  renderNothingToCancel,
  renderScope,
  renderVerdict,
} from '../render/cancellation.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'
import { cancelMany } from './cancel-many.ts'
import { parseCount } from './parse-count.ts'

interface CancelOptions {
  readonly where?: string
  readonly tasks?: string
  readonly reason?: string
  readonly force?: boolean
  readonly grace?: number
  readonly dryRun?: boolean
  readonly wait?: boolean
  readonly yes?: boolean
}

const helpText = `
Jobs are asked to end and killed after the grace period; tasks that wait never start. With --tasks, neither does
anything that needs them; independent branches run on. Cancelling twice, or what has finished, does no harm.

A selector has one condition or more, and all must be so: tag:key=value owner:me owner:NAME name:GRAPH status:running
status:cancelling older:2h backend:braket; all:true alone means every one. Example:
  quench cancel --where 'tag:project=h2 older:2h' --dry-run
It goes on without this command; "quench cancellations" shows how far it is.`

/** `quench cancel` */
export const addCancel: AddCommand = (program, run) => {
  program
    .command('cancel')
    .description('stop a dispatch, some of its tasks and all that needs them, or many dispatches')
    .argument('[id]', 'dispatch')
    .option('--where <selector>', 'every open dispatch that matches, instead of one')
    .option('--tasks <list>', 'ids or names, with commas between: 1,3,reduce')
    .option('--reason <text>', 'goes on record')
    .addOption(new Option('--force', 'kill at once').conflicts('grace'))
    .option('--grace <seconds>', 'from asking to killing, 0 to 300 (default 30)', parseCount({ min: 0, max: 300 }))
    .option('--dry-run', 'only say what would be stopped')
    .option('--wait', 'until every job is confirmed to have ended, or is overdue')
    .option('--yes', 'do not ask before cancelling whole dispatches; needed for --where where nobody can be asked')
    .addHelpText('after', helpText)
    .action(run(cancel))
}

async function cancel(session: Session, id: string | undefined, options: CancelOptions): Promise<ExitCode> {
  const { where, tasks } = options
  if (where !== undefined && (id !== undefined || tasks !== undefined))
    throw new InvalidInput('--where means whole dispatches: leave out the id and --tasks.')
  if (where !== undefined) return cancelMany(session, { ...options, where }, orderOf(options))
  if (id === undefined) throw new InvalidInput('Which dispatch? Give its id, or --where for many.')
  return cancelOne(session, id, options)
}

async function cancelOne(session: Session, id: string, options: CancelOptions): Promise<ExitCode> {
  const { json, print } = session
  const client = session.client()
  const request = await toRequest(session, id, options)
  const preview = await client.cancel(id, { ...request, dryRun: true })

  if (options.dryRun || hasNothingToCancel(preview)) {
    print(json ? JSON.stringify(preview) : renderPreview(preview))
    return exitCodes.ok
  }
  if (!json) print(renderPreview(preview))
  if (
    preview.scope === 'dispatch' &&
    !options.yes &&
    session.ask &&
    !(await session.ask(`Cancel dispatch ${preview.dispatchId}?`))
  ) {
    session.printError('Nothing was cancelled.')
    return exitCodes.unsuccessful
  }
  const answer = await client.cancel(preview.dispatchId, request)
  print(json ? JSON.stringify(answer) : renderAnswer(answer, options))
  return options.wait && answer.cancellationId !== undefined
    ? waitForConfirmation(session, answer.dispatchId, answer.cancellationId)
    : exitCodes.ok
}

async function toRequest(session: Session, id: string, options: CancelOptions): Promise<CancelRequestInput> {
  const { tasks } = options
  const taskIds = tasks === undefined ? {} : { taskIds: await resolveTasks(session.client(), id, tasks) }
  return { ...taskIds, ...orderOf(options) }
}

function orderOf({
  reason,
  force,
  grace,
}: CancelOptions): Pick<CancelRequestInput, 'reason' | 'mode' | 'graceSeconds'> {
  return {
    ...(reason !== undefined && { reason }),
    ...(force && { mode: 'force' }),
    ...(grace !== undefined && { graceSeconds: grace }),
  }
}

function hasNothingToCancel({ counts }: CancelAnswer): boolean {
  return counts.stopping + counts.abandoned === 0
}

function renderPreview(preview: CancelAnswer): string {
  if (hasNothingToCancel(preview)) return renderNothingToCancel(preview)
  return `To cancel ${renderScope(preview)}: ${renderCounts(preview)}.`
}

function renderAnswer(answer: CancelAnswer, { wait }: CancelOptions): string {
  if (hasNothingToCancel(answer)) return renderNothingToCancel(answer)
  const line = [`Cancelling ${renderScope(answer)}: ${renderCounts(answer)}.`, ...renderDelays(answer)].join('\n')
  return wait ? line : `${line}\n\n  quench watch ${answer.dispatchId}`
}

async function waitForConfirmation(session: Session, dispatchId: string, cancellationId: string): Promise<ExitCode> {
  const { json, print, paint, screen } = session
  for (let polls = 0; ; polls += 1) {
    const view = await session.client().cancellation(dispatchId, cancellationId)
    const isOver = view.state !== 'stopping'
    if (!json && screen) screen.draw(renderConfirmations(view, paint))
    else if (!json && isOver) print(renderConfirmations(view, paint).join('\n'))
    if (isOver) {
      print(json ? JSON.stringify(view) : renderVerdict(view, paint))
      return view.state === 'confirmed' ? exitCodes.ok : exitCodes.unsuccessful
    }
    await pace(polls)
  }
}
