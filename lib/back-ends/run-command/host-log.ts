import { BackendUnavailable } from '../../domain/errors.ts'
import type { Deadline, LogPart, LogPlace } from '../executor.ts'
import { logPart, logPartBytes } from '../log-part.ts'
import { type RunCommand, runScript } from './run-command.ts'
import { shellQuote } from './shell-quote.ts'

interface HostLog extends LogPlace {
  readonly instanceId: string
  /** The job's folder, below the one that `prelude` goes to. */
  readonly folder: string
  /** Of a script that goes to the folder of the jobs. */
  readonly prelude: string
  /** Puts the script where it runs as another user. Default: as it is. */
  readonly wrap?: (script: string) => string
}

/**
 * A piece of a log that a job has left in its folder on a host.
 *
 * It comes in base64, since Run Command would spoil what is no UTF-8, and with it the offsets.
 * Errors: as `runScript`; BackendUnavailable when the script did not say all.
 */
export async function readHostLog(runCommand: RunCommand, log: HostLog, deadline?: Deadline): Promise<LogPart> {
  const { instanceId, stream, offset, prelude, wrap = (script) => script } = log
  const script = `${prelude}
log=${shellQuote(`${log.folder}/${stream}`)}
printf 'log '
[ ! -e "$log" ] || tail -c +${offset + 1} <"$log" | head -c ${logPartBytes} | base64 | tr -d '\\n'
echo ';'
`
  const comment = `${log.folder}: ${stream}`
  const { exitCode, stdout, stderr } = await runScript(
    runCommand,
    { instanceId, script: wrap(script), comment },
    deadline,
  )
  const [, text] = /^log ([A-Za-z0-9+/=]*);$/m.exec(stdout) ?? []
  if (text !== undefined) return logPart(Buffer.from(text, 'base64'), offset)
  throw new BackendUnavailable(`${instanceId}: exit code ${exitCode}. ${stderr.slice(0, 500)}`, { arrived: 'unknown' })
}
