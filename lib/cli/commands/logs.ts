import { followLog } from '../follow/follow-log.ts'
import { findTask } from '../input/find-task.ts'
import { type AddCommand, type ExitCode, exitCodes, type Session } from '../session.ts'

interface LogsOptions {
  readonly stderr?: boolean
  readonly follow?: boolean
}

const helpText = `
stdout comes to stdout and stderr to stderr, as they are. AWS Batch keeps one log of both: all of it comes to stdout.
With --json an object a piece: { stream, attempt, text, nextOffset, hasEnded }.`

/** `quench logs` */
export const addLogs: AddCommand = (program, run) => {
  program
    .command('logs')
    .description('what the job of a task has written, in its current attempt')
    .argument('<id>', 'dispatch')
    .argument('<task>', 'id or name; inner/work for a task of the dispatch behind task "inner"')
    .option('--stderr', 'only stderr')
    .option('--follow', 'until the task has ended; waits for a job that has not begun')
    .addHelpText('after', helpText)
    .action(run(logs))
}

async function logs(session: Session, id: string, path: string, options: LogsOptions): Promise<ExitCode> {
  const { json, print, write, writeError } = session
  const client = session.client()
  const task = await findTask(client, id, path)
  const streams = options.stderr ? (['stderr'] as const) : (['stdout', 'stderr'] as const)
  for await (const piece of followLog(client, task, { streams, follow: options.follow ?? false })) {
    if (json) print(JSON.stringify(piece))
    else if (piece.stream === 'stdout') write(piece.text)
    else writeError(piece.text)
  }
  return exitCodes.ok
}
