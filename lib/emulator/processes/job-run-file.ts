import { readFileSync } from 'node:fs'
import { type LiveProcess, parseStat } from './process-tree.ts'

/**
 * Runs a job's command and leaves what the next region needs to know, whoever is killed in between.
 *
 * Arguments: run file, boot id, log file, command… The log has both streams in the order of writing, as with awslogs.
 * The run file's first line is the boot id and this shell's own `/proc/self/stat`; its last, `exit <code>`.
 * Guarantees: of all shells for one run file, one runs the command (`set -C` is O_EXCL); the others exit with 75.
 * Costs one fork, that of the command: all else is built into the shell. The command is run by `exec` in a subshell, so
 * that a program called `test` or `exit` is looked up in PATH. `trap : INT` keeps a command that dies of SIGINT from
 * taking the shell with it before it wrote the code.
 */
export const jobScript = `
IFS= read -r _quench_stat < /proc/self/stat
_quench_run=$1
set -C
{ printf '%s %s\\n' "$2" "$_quench_stat" > "$_quench_run"; } 2> /dev/null || exit 75
set +C
exec > "$3" 2>&1
shift 3
trap : INT
( exec "$@" )
_quench_code=$?
printf 'exit %s\\n' "$_quench_code" >> "$_quench_run"
exit "$_quench_code"
`

/** Exit code of a shell that found another one's run file. A command may use it as well: look at the file. */
export const alreadyRun = 75

export interface JobRun {
  /** The shell that runs the command; undefined while the file is being written, or of another boot. */
  readonly shell?: LiveProcess
  readonly exitCode?: number
}

/** What a run file says; undefined where there is none: the command has not been started. */
export function readRunFile(file: string, bootId: string): JobRun | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const exit = /^exit (\d+)$/m.exec(text)
  const [first = ''] = text.split('\n')
  const shell = first.startsWith(`${bootId} `) ? parseStat(first.slice(bootId.length + 1)) : undefined
  return { ...(shell ? { shell } : {}), ...(exit ? { exitCode: Number(exit[1]) } : {}) }
}
