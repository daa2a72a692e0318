import { readFileSync, writeFileSync } from 'node:fs'
import { type Containment, containments } from '../containment/containments.ts'
import { type LiveProcess, parseStat } from './process-tree.ts'
import { thisPlace } from './this-place.ts'

/**
 * Runs a job's command and leaves what the next server needs to know, whoever is killed in between.
 *
 * Arguments: run file, label (`runLabel`), file to join a group by (empty where there is none), log file, command… The log has both
 * streams in the order of writing, as with awslogs.
 * Guarantees: it joins the group before anything else, and starts nothing where it cannot (exit code 76). Of all shells
 * for one run file, one runs the command (`set -C` is O_EXCL); the others exit with 75. So whoever makes the file first,
 * server or shell, decides whether the command is run.
 * The run file's first line is the label and this shell's own `/proc/self/stat`, its second that of its parent; its last,
 * `exit <code>`.
 * Costs one fork, that of the command: all else is built into the shell. The command is run by `exec` in a subshell, so
 * that a program called `test` or `exit` is looked up in PATH. `trap : INT` keeps a command that dies of SIGINT from
 * taking the shell with it before it wrote the code.
 */
export const jobScript = `
[ -z "$3" ] || { echo 0 > "$3"; } 2> /dev/null || exit 76
IFS= read -r _quench_stat < /proc/self/stat
IFS= read -r _quench_parent < "/proc/$PPID/stat"
_quench_run=$1
set -C
{ printf '%s %s\\nparent %s\\n' "$2" "$_quench_stat" "$_quench_parent" > "$_quench_run"; } 2> /dev/null || exit 75
set +C
exec > "$4" 2>&1
shift 4
trap : INT
( exec "$@" )
_quench_code=$?
printf 'exit %s\\n' "$_quench_code" >> "$_quench_run"
exit "$_quench_code"
`

/** Exit code of a shell that found another one's run file. A command may use it as well: look at the file. */
export const alreadyRun = 75
/** Exit code of a shell that could not join its group, and of a keeper that cannot keep. */
export const notHeld = 76

const forestalledLine = 'forestalled\n'

/** What a run file says of where its pids mean something, and of how the job is held. Two words. */
export const runLabel = (containment: Containment): string => `${thisPlace()} ${containment.replace(' ', '-')}`

export interface JobRun {
  /** How the job is held; undefined while the file is being written, or of another boot. */
  readonly containment?: Containment
  /** The shell that runs the command; undefined while the file is being written, or of another boot. */
  readonly shell?: LiveProcess
  /** What was its parent when it began. */
  readonly parent?: LiveProcess
  /** Of the job's PID namespace, where it has one. */
  readonly init?: LiveProcess
  readonly exitCode?: number
  /** Its keeper has seen ECHILD. */
  readonly isQuiet: boolean
  /** No shell has started the command, and none will. */
  readonly isForestalled: boolean
}

/** What a run file says; undefined where there is none: the command has not been started. */
export function readRunFile(file: string): JobRun | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const containment = containments.find((one) => text.startsWith(`${runLabel(one)} `))
  const processOf = (pattern: RegExp) => {
    const stat = containment ? pattern.exec(text)?.[1] : undefined
    return stat === undefined ? undefined : parseStat(stat)
  }
  const [shell, parent, init] = [/^\S+ \S+ (\d.*)$/m, /^parent (.+)$/m, /^init (.+)$/m].map(processOf)
  const exit = /^exit (\d+)$/m.exec(text)
  return {
    ...(containment && { containment }),
    ...(shell && { shell }),
    ...(parent && { parent }),
    ...(init && { init }),
    ...(exit && { exitCode: Number(exit[1]) }),
    isQuiet: /^quiet$/m.test(text),
    isForestalled: text === forestalledLine,
  }
}

/**
 * Keep every shell that comes late from starting the job's command. False where one has started it already, or where
 * nothing can be written.
 */
export function forestall(file: string): boolean {
  try {
    writeFileSync(file, forestalledLine, { flag: 'wx' })
    return true
  } catch {
    return readRunFile(file)?.isForestalled ?? false
  }
}
