import type { RedriveAnswer } from '../../schema/api.ts'
import { watchDispatch } from '../follow/watch-dispatch.ts'
import { resolveTasks } from '../input/resolve-tasks.ts'
import { renderNothingToRedrive, renderRedrive, renderReopened } from '../render/redrive.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'

interface RedriveOptions {
  readonly tasks?: string
  readonly force?: boolean
  readonly dryRun?: boolean
  readonly watch?: boolean
  readonly yes?: boolean
}

const helpText = `
Failed, cancelled and skipped tasks become new attempts; what has succeeded keeps its result. With --tasks, so does
everything that needs them. Refused while a cancellation is not confirmed, for its jobs may still run: --force does not
wait for them, and then they may run on beside the new attempts.`

/** `quench redrive` */
export const addRedrive: AddCommand = (program, run) => {
  program
    .command('redrive')
    .description('run again what did not succeed of a dispatch')
    .argument('<id>', 'dispatch')
    .option('--tasks <list>', 'only these and all that needs them: ids or names, 1,3,reduce')
    .option('--force', 'do not wait for jobs whose cancellation is not confirmed')
    .option('--dry-run', 'only say what would run again')
    .option('--watch', 'follow the dispatch until it has ended')
    .option('--yes', 'do not ask before --force')
    .addHelpText('after', helpText)
    .action(run(redrive))
}

async function redrive(session: Session, id: string, options: RedriveOptions): Promise<ExitCode> {
  const { json, print } = session
  const { tasks, force = false } = options
  const client = session.client()
  const request = { force, ...(tasks !== undefined && { taskIds: await resolveTasks(client, id, tasks) }) }
  const preview = await client.redrive(id, { ...request, dryRun: true })

  if (options.dryRun || preview.reopened === 0) {
    print(json ? JSON.stringify(preview) : renderPreview(preview))
    return exitCodes.ok
  }
  if (!json) print(renderPreview(preview))
  const question = `Redrive dispatch ${preview.dispatchId} without waiting for its jobs?`
  if (force && !options.yes && session.ask && !(await session.ask(question))) {
    session.printError('Nothing was redriven.')
    return exitCodes.unsuccessful
  }
  const answer = await client.redrive(preview.dispatchId, request)
  if (json) print(JSON.stringify(answer))
  else print(renderAnswer(answer, options))
  return options.watch ? watchDispatch(session, answer.dispatchId) : exitCodes.ok
}

function renderPreview(preview: RedriveAnswer): string {
  return preview.reopened === 0 ? renderNothingToRedrive(preview) : renderRedrive(preview).join('\n')
}

function renderAnswer(answer: RedriveAnswer, { watch }: RedriveOptions): string {
  if (answer.reopened === 0) return renderNothingToRedrive(answer)
  const line = `Redriving dispatch ${answer.dispatchId}: ${renderReopened(answer)}.`
  return watch ? line : `${line}\n\n  quench watch ${answer.dispatchId}`
}
