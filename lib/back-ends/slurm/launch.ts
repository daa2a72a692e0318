import { BackendRejected, InvalidInput } from '../../domain/errors.ts'
import { environmentName } from '../run-command/host-script.ts'
import { maxScriptBytes, scriptBytes } from '../run-command/script-size.ts'
import { shellQuote } from '../run-command/shell-quote.ts'
import { batchScript } from './batch-script.ts'
import { checkedName } from './job-list.ts'
import { recall, slurmPrelude } from './shell.ts'

/** What one job, or one element of an array, runs. */
export interface SlurmCommand {
  readonly name: string
  /** Given to `sh -c`, after a space, so that a leading dash does not make it an option. */
  readonly command: string
  /** Relative to the home folder, which is also the default. */
  readonly cwd?: string
  readonly environment: Readonly<Record<string, string>>
}

/** Options of sbatch, each `--key=value` or `--key`. */
type SbatchOptions = readonly string[]

/** Bytes of a script kept free for what runs it as another user (`asUser`). */
const wrapBytes = 500

/**
 * The script that submits a job, or adopts the one that is there under this name, and prints its id.
 *
 * Guarantees: run any number of times, also at the same time and after a crash at any point, it calls sbatch at most once;
 * it never does after a kill came first. Text of a task is a quoted word or in a file, never in a line of the batch script.
 * Exit codes: 73, no job was made; 74 and 75, nobody knows; 77, sbatch refused it, and stderr says why.
 * Errors: InvalidInput for a name of the job or of a variable that cannot be one, and for a NUL.
 * Source: sbatch(1), `--parsable`, `--no-requeue`, "filename pattern".
 */
export function launchSlurmScript({
  name,
  command,
  cwd,
  environment,
  options,
}: SlurmCommand & { options: SbatchOptions }) {
  const start = `${enter(cwd)}heard env ${assignments(environment)} "QUENCH_JOB=$member" /bin/sh -c " $command"\n`
  return launch({ name, command, start, options, log: '', staging: '', isStaged: 'true', reach: fenceOne })
}

/**
 * The scripts that submit an array of jobs, or adopt the one that is there under this name; to be run in their order.
 *
 * The last one calls sbatch, and prints the id of the array. Where it cannot carry all elements (more than about 150), those
 * before it lay them out in their folders, as many as a command carries, and it looks that they are all there.
 * Shape: element i is `members[i]`, and has its index in QUENCH_TASK_INDEX. What members have in common is written once.
 * Guarantees, exit codes and errors: as `launchSlurmScript`; BackendRejected when one member alone does not fit a command.
 * Source: sbatch(1), `--array`.
 */
export function launchArrayScripts(array: {
  readonly name: string
  readonly options: SbatchOptions
  readonly members: readonly SlurmCommand[]
}): readonly string[] {
  const { name, options, members } = array
  const [first] = members
  if (!first) throw new InvalidInput('an array of no jobs')
  const isCommon = (variable: string) =>
    members.every(({ environment }) => environment[variable] === first.environment[variable])
  const common = new Set(Object.keys(first.environment).filter(isCommon))
  const isOneFolder = members.every(({ cwd }) => cwd === first.cwd)
  const shared = Object.entries(first.environment).filter(([variable]) => common.has(variable))

  const start = `${isOneFolder ? enter(first.cwd) : ''}heard env ${assignments(Object.fromEntries(shared))} "$@" \\
  "QUENCH_JOB=$member" "QUENCH_TASK_INDEX=$SLURM_ARRAY_TASK_ID" /bin/sh -c " $command"
`
  const elements = members.map((member, index) => {
    const own = Object.entries(member.environment).filter(
      ([variable]) => !common.has(variable) && variable !== 'QUENCH_JOB',
    )
    const text = `member=${checkedName(member.name)}
${member.command === first.command ? '' : `command=${shellQuote(member.command)}\n`}set -- ${assignments(Object.fromEntries(own))}
${isOneFolder ? '' : enter(member.cwd)}. "$folder/start"
`
    return `lay ${index} ${shellQuote(text)}\n`
  })
  const last = (laid: readonly string[]) =>
    launch({
      name,
      command: first.command,
      start,
      options: [`--array=0-${members.length - 1}`, ...options],
      log: '/%a',
      staging: `${lay}${laid.join('')}`,
      isStaged: `all_laid ${members.length}`,
      reach: fenceElements,
    })
  const limitBytes = maxScriptBytes - wrapBytes
  const isOneCommand = scriptBytes(last(elements)) <= limitBytes
  const only = (laid: readonly string[]) => `${slurmPrelude}${openFolder(name)}${lay}${laid.join('')}`
  return isOneCommand ? [last(elements)] : [...fill(elements, limitBytes - scriptBytes(only([]))).map(only), last([])]
}

/** Goes to the folder that a command names. */
function enter(cwd: string | undefined): string {
  const folder = cwd === undefined || cwd.startsWith('/') ? cwd : `./${cwd}`
  return `cd "\${HOME:-/}" 2>/dev/null || cd /
${folder === undefined ? '' : `cd ${shellQuote(folder)} || exit 126\n`}`
}

function assignments(environment: Readonly<Record<string, string>>): string {
  const words = Object.entries(environment).map(([variable, value]) => {
    if (!environmentName.test(variable)) throw new InvalidInput(`${variable} is not a name of an environment variable`)
    return shellQuote(`${variable}=${value}`)
  })
  return words.join(' ')
}

/** The lines in their order, as few groups as a limit on their bytes allows. */
function fill(lines: readonly string[], limitBytes: number): string[][] {
  const groups: string[][] = []
  let freeBytes = 0
  for (const line of lines) {
    const sizeBytes = scriptBytes(line)
    if (sizeBytes > limitBytes) throw new BackendRejected(`a member of ${sizeBytes} bytes does not fit a command`)
    if (sizeBytes > freeBytes) {
      groups.push([])
      freeBytes = limitBytes
    }
    groups.at(-1)?.push(line)
    freeBytes -= sizeBytes
  }
  return groups
}

const openFolder = (name: string) => `
name=${checkedName(name)}
mkdir "$name" 2>/dev/null
[ -d "$name" ] || exit 73
`

/** An element is there when its `start` is. Those of an array that is submitted already stay as they are. */
const lay = `
lay() {
  [ -e "$name/$1/start" ] || [ -d "$name/run" ] || [ -e "$name/job" ] ||
    { mkdir -p "$name/$1" && printf %s "$2" >"$name/$1/start.$$" && mv -f "$name/$1/start.$$" "$name/$1/start"; } || exit 73
}
all_laid() {
  index=0
  while [ $index -lt "$1" ]; do
    [ -e "$name/$index/start" ] || { echo "element $index of $1 is not there" >&2; exit 73; }
    index=$((index + 1))
  done
}
`

/** Stops what a kill has fenced while sbatch was on its way: the kill has not seen the id. */
const fenceOne = `[ ! -e "$name/fate" ] || scancel --quiet "$id" </dev/null`
const fenceElements = `late=
    for fate in "$name"/*/fate; do
      index=\${fate%/fate}
      [ ! -e "$fate" ] || late="$late \${id}_\${index##*/}"
    done
    [ -z "$late" ] || scancel --quiet $late </dev/null
    ${fenceOne}`

/**
 * Prints the id in what sbatch has printed: the last line that is one, `ID` or `ID;CLUSTER`. Sites wrap sbatch, and the
 * wrappers print news, in colours at that.
 */
const idIn = `
id_in() {
  tr -d '\\r\\033' <"$1" | sed -n -e 's/\\[[0-9;]*m//g' \\
    -e 's/^[[:space:]]*\\([0-9][0-9]*\\)[[:space:]]*$/\\1/p' -e 's/^[[:space:]]*\\([0-9][0-9]*\\);[^[:space:]]*[[:space:]]*$/\\1/p' |
    tail -n 1
}
`

interface Launch {
  readonly name: string
  /** The text of the file `command`. */
  readonly command: string
  /** The text of the file `start`. */
  readonly start: string
  readonly options: SbatchOptions
  /** The folder of the output, below the job's. */
  readonly log: '' | '/%a'
  /** What is done before anything is looked at. */
  readonly staging: string
  /** A command that must hold before sbatch is called. */
  readonly isStaged: string
  /** What is done when the job has an id. */
  readonly reach: string
}

function launch({ name, command, start, options, log, staging, isStaged, reach }: Launch): string {
  return `${slurmPrelude}${recall}${idIn}${openFolder(name)}${staging}
if [ ! -e "$name/fate" ] && [ ! -e "$name/job" ] && ${isStaged} && mkdir "$name/run" 2>/dev/null; then
  { printf %s ${shellQuote(command)} >"$name/command" &&
    printf %s ${shellQuote(start)} >"$name/start" &&
    cat >"$name/batch" <<'QUENCH_BATCH'
${batchScript}QUENCH_BATCH
    : >"$name/answer" && : >"$name/refusal"
  } || { rmdir "$name/run"; exit 73; }
  # In a file name, sbatch takes % for a pattern.
  out=$(printf %s "$base/$name" | sed 's/%/%%/g')${log}
  # One attempt is one run: what a node or a preemption takes away, Quench sees and repeats itself.
  sbatch --parsable --job-name="$name" --chdir="\${HOME:-/}" --output="$out/stdout" --error="$out/stderr" \\
    --no-requeue ${options.map(shellQuote).join(' ')} "$name/batch" "$base/$name" "$mask" \\
    </dev/null >"$name/answer" 2>"$name/refusal"
  code=$?
  id=$(id_in "$name/answer")
  # Of an answer with anything else in it, the controller is asked whose id that is.
  if [ $code != 0 ] || [ -z "$id" ] || [ "$(wc -l <"$name/answer")" != 1 ]; then
    if rows=$(queue --name="$name") && ! has_said; then asked=1; else asked=; fi
    found=$(printf '%s\\n' "$rows" | awk -F '|' -v name="$name" '$1 == "J" && $7 == name { print $2; exit }')
    id=\${found:-$id}
    [ $code = 0 ] || [ -n "$found" ] || id=
    case $(cat "$name/refusal") in *'onnect failure'* | *'onnection refused'*) asked=1 ;; esac
  fi
  if [ -n "$id" ]; then
    echo "$id" >"$name/job.$$" && mv -f "$name/job.$$" "$name/job"
    ${reach}
  elif [ $code != 0 ]; then
    cat "$name/refusal" "$name/answer" >&2
    case $(cat "$name/refusal") in *'timed out'* | *'Zero Bytes'* | *'Unexpected message'*) exit 75 ;; esac
    # Ended by a signal: nobody knows how far it came. 255 is its own for a wrong option.
    { [ $code -le 128 ] || [ $code = 255 ]; } && [ -n "$asked" ] || exit 75
    rmdir "$name/run"
    exit 77
  fi
elif [ ! -e "$name/job" ] && [ ! -e "$name/fate" ]; then
  recall
fi
# Whatever the clock does meanwhile.
rounds=0
until [ -e "$name/job" ] || [ -e "$name/fate" ] || [ $rounds -ge 100 ]; do
  nap
  rounds=$((rounds + 1))
done
recall
echo "job $job;"
`
}
