import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { createClient } from '../client/client.ts'
import { addBudget } from './commands/budget.ts'
import { addCancel } from './commands/cancel.ts'
import { addCancellations } from './commands/cancellations.ts'
import { addDispatch } from './commands/dispatch.ts'
import { addEvents } from './commands/events.ts'
import { addGiveUp } from './commands/give-up.ts'
import { addLogs } from './commands/logs.ts'
import { addLs } from './commands/ls.ts'
import { addRedrive } from './commands/redrive.ts'
import { addResult } from './commands/result.ts'
import { addShow } from './commands/show.ts'
import { addUp } from './commands/up.ts'
import { addWatch } from './commands/watch.ts'
import { describeFailure } from './describe-failure.ts'
import { type ExitCode, exitCodes, type Run } from './session.ts'
import type { Terminal } from './terminal.ts'

const commands = [
  addUp,
  addDispatch,
  addLs,
  addShow,
  addWatch,
  addEvents,
  addLogs,
  addResult,
  addBudget,
  addGiveUp,
  addCancel,
  addCancellations,
  addRedrive,
]

const helpText = `
An <id> may be a unique prefix of at least four characters.

Exit codes:
  0    done
  1    the dispatch failed or was cancelled (watch, dispatch --watch, redrive --watch);
       the cancellation is not confirmed in time, failed, or was declined (cancel, cancellations);
       the redrive was declined (redrive)
  2    bad input: usage, graph file, unknown id; no credentials, or not allowed
  3    no server answers, or the server failed
  130  stopped at once by a second ctrl-C (up)

Environment:
  QUENCH_URL    address of the server (default http://127.0.0.1:7766)
  QUENCH_TOKEN  bearer token, for a server that takes them
  QUENCH_SIGN   AWS Region to sign requests for, with the credentials that the AWS SDKs find (AWS_PROFILE, SSO, …);
                not needed for an address like https://ID.execute-api.REGION.amazonaws.com
  NO_COLOR      no colours`

/** Run `quench` with its arguments. Everything that goes wrong becomes a message and an exit code. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok
  const program = new Command('quench')
  const run: Run =
    (command) =>
    async (...actionArgs) => {
      exitCode = await command({ ...terminal, json: isJson(program), client: () => clientOf(program) }, ...actionArgs)
    }

  program
    .description('Dispatch workflow graphs, watch them, and cancel them for real.')
    .version(manifest.version)
    .option('--url <url>', 'address of the server, before QUENCH_URL')
    .option('--sign <region>', 'sign requests for this AWS Region, before QUENCH_TOKEN and QUENCH_SIGN')
    .option('--json', 'print JSON')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.printError(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error:/, 'quench:')),
    })
    .showHelpAfterError('Try "quench --help".')
    .exitOverride()
    .addHelpText('after', helpText)
  for (const add of commands) add(program, run)

  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return isHelp(error) ? exitCodes.ok : exitCodes.badInput
    const { message, body, exitCode } = describeFailure(error)
    terminal.printError(isJson(program) ? JSON.stringify(body) : message)
    return exitCode
  }
}

/** Commander throws for help and version too, after it has printed them. */
function isHelp({ exitCode }: CommanderError): boolean {
  return exitCode === 0
}

function isJson(program: Command): boolean {
  return program.opts<{ json?: boolean }>().json === true
}

function clientOf(program: Command) {
  const { url, sign } = program.opts<{ url?: string; sign?: string }>()
  return createClient({ ...(url !== undefined && { url }), ...(sign !== undefined && { signRegion: sign }) })
}
